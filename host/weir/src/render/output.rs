//! A render's output as bytes: a line of JSON that says where each part ends, then the parts.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_plugin::{Manifest, RenderOutput, Warning};

#[derive(Serialize, Deserialize)]
struct Header {
    manifests: Vec<ManifestHeader>,
    attachments: Vec<(String, usize)>,
    warnings: Vec<Warning>,
}

#[derive(Serialize, Deserialize)]
struct ManifestHeader {
    size: usize,
    origin: Option<String>,
    role: Option<String>,
}

pub(super) fn encode(output: &RenderOutput) -> Vec<u8> {
    let header = Header {
        manifests: output
            .manifests
            .iter()
            .map(|manifest| ManifestHeader {
                size: manifest.body.len(),
                origin: manifest.origin.clone(),
                role: manifest.role.clone(),
            })
            .collect(),
        attachments: output
            .attachments
            .iter()
            .map(|(name, data)| (name.clone(), data.len()))
            .collect(),
        warnings: output.warnings.clone(),
    };
    let mut encoded = serde_json::to_vec(&header).unwrap_or_default();
    encoded.push(b'\n');
    for manifest in &output.manifests {
        encoded.extend_from_slice(&manifest.body);
    }
    for (_, data) in &output.attachments {
        encoded.extend_from_slice(data);
    }
    encoded
}

/// `None` when the bytes are not what [`encode`] makes.
pub(super) fn decode(mut encoded: Bytes) -> Option<RenderOutput> {
    let end = encoded.iter().position(|byte| *byte == b'\n')?;
    let header: Header = serde_json::from_slice(encoded.get(..end)?).ok()?;
    let mut encoded = encoded.split_off(end + 1);
    let mut take = |size: usize| (size <= encoded.len()).then(|| encoded.split_to(size));
    let mut output = RenderOutput {
        warnings: header.warnings,
        ..RenderOutput::default()
    };
    for manifest in header.manifests {
        let body = take(manifest.size)?;
        let (origin, role) = (manifest.origin, manifest.role);
        output.manifests.push(Manifest { body, origin, role });
    }
    for (name, size) in header.attachments {
        output.attachments.push((name, take(size)?));
    }
    Some(output)
}

/// For the fuzz targets.
#[cfg(fuzzing)]
pub mod fuzzing {
    /// Bytes of a cache that may be damaged: they are refused, or they are an output that is kept
    /// as the same bytes again.
    pub fn kept_output(data: &[u8]) {
        if let Some(output) = super::decode(bytes::Bytes::copy_from_slice(data)) {
            let kept = super::encode(&output);
            assert_eq!(super::decode(kept.into()), Some(output));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_and_a_part_of_it_is_not() {
        let output = RenderOutput {
            manifests: vec![
                Manifest {
                    body: "a: 1\n".into(),
                    origin: Some("a.yaml".into()),
                    role: None,
                },
                Manifest {
                    body: Bytes::new(),
                    origin: None,
                    role: Some("crd".into()),
                },
            ],
            attachments: vec![("notes".into(), "text\nof lines".into())],
            warnings: vec![Warning {
                code: "Old".into(),
                message: "old".into(),
            }],
        };
        let encoded = encode(&output);
        assert_eq!(decode(encoded.clone().into()).unwrap(), output);
        assert_eq!(decode(Bytes::from(encoded).slice(..40)), None);
    }
}
