//! Names, tags and digests of images.

use weir_yaml::{Arena, Kind, Node, NodeId, Value};

use crate::context::Context;
use crate::error::Result;
use crate::filters::field_spec::{self, Create};
use crate::resmap::ResMap;
use crate::rnode;
use crate::selector::Pattern;
use crate::types::decode::{self, Mode, decode_struct};
use crate::types::{FieldSpec, Image};

/// Changes images of one name.
#[derive(Debug, Clone, Default)]
pub(crate) struct ImageTagTransformer {
    pub(crate) image: Image,
    pub(crate) field_specs: Vec<FieldSpec>,
}

decode_struct!(
    ImageTagTransformer,
    "ImageTagTransformerPlugin",
    "builtins.ImageTagTransformerPlugin",
    {
        "imageTag" => image,
        "fieldSpecs" => field_specs,
    }
);

impl ImageTagTransformer {
    pub(super) fn configure(config: &Value) -> Result<Self> {
        decode::decode(config, Mode::Lenient)
    }

    pub(super) fn transform(&self, cx: &mut Context, map: &ResMap) -> Result<()> {
        let updater = Updater::new(&self.image);
        let resources: Vec<NodeId> = super::present(cx, map)
            .into_iter()
            .filter(|handle| cx.kind(*handle) != "CustomResourceDefinition")
            .filter_map(|handle| cx.node(handle))
            .collect();
        for node in &resources {
            updater.containers(&mut cx.arena, *node)?;
        }
        for node in resources {
            field_spec::apply_all(
                &mut cx.arena,
                node,
                &self.field_specs,
                &Create::NOTHING,
                &mut |arena, target| updater.update(arena, target),
            )?;
        }
        Ok(())
    }
}

struct Updater<'a> {
    image: &'a Image,
    /// `None`: the name is no valid pattern; kustomize then crashes, we match nothing.
    pattern: Option<Pattern>,
}

impl<'a> Updater<'a> {
    fn new(image: &'a Image) -> Self {
        let pattern = format!(
            "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$",
            image.name
        );
        Self {
            image,
            pattern: Pattern::search(&pattern).ok(),
        }
    }

    /// Looks for `containers` and `initContainers` everywhere, the innermost first.
    fn containers(&self, arena: &mut Arena, node: NodeId) -> Result<()> {
        match arena[node].kind {
            Kind::Mapping => {
                for at in 0..arena[node].content.len() / 2 {
                    let (key, value) =
                        (arena[node].content[at * 2], arena[node].content[at * 2 + 1]);
                    self.containers(arena, value)?;
                    let name = arena[key].value.as_str();
                    let is_list = arena[value].kind == Kind::Sequence;
                    if is_list && matches!(name, "containers" | "initContainers") {
                        for item in arena[value].content.clone() {
                            if let Some(image) = rnode::get(arena, item, "image")? {
                                self.update(arena, image)?;
                            }
                        }
                    }
                }
                Ok(())
            }
            Kind::Sequence => {
                for at in 0..arena[node].content.len() {
                    let item = arena[node].content[at];
                    self.containers(arena, item)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn update(&self, arena: &mut Arena, node: NodeId) -> Result<()> {
        rnode::expect_kind(arena, node, Kind::Scalar)?;
        let value = &arena[node].value;
        // Most images are of another name: a cheap look before the pattern.
        let matches = self
            .pattern
            .as_ref()
            .is_some_and(|pattern| pattern.is_match(value));
        if !matches {
            return Ok(());
        }
        let renamed = self.rename(value);
        let value = arena.add(Node::scalar(renamed));
        rnode::set_scalar(arena, node, value)
    }

    fn rename(&self, value: &str) -> String {
        let Image {
            new_name,
            tag_suffix,
            new_tag,
            digest: new_digest,
            ..
        } = self.image;
        let (name, tag, digest) = split(value);
        let name = if new_name.is_empty() { name } else { new_name };
        let suffixed = format!("{tag}{tag_suffix}");
        let (tag, digest) = match (new_tag.is_empty(), new_digest.is_empty()) {
            (false, _) => (new_tag.as_str(), new_digest.as_str()),
            (true, false) => ("", new_digest.as_str()),
            (true, true) if !tag_suffix.is_empty() => (suffixed.as_str(), ""),
            (true, true) => (tag, digest),
        };
        let mut out = name.to_owned();
        if !tag.is_empty() {
            out.push(':');
            out.push_str(tag);
        }
        if !digest.is_empty() {
            out.push('@');
            out.push_str(digest);
        }
        out
    }
}

/// Name, tag and digest of an image.
fn split(image: &str) -> (&str, &str, &str) {
    let slash = match image.find('/') {
        Some(at) if at > 0 => at,
        _ => 0,
    };
    let at = image[slash..].find('@').map(|at| at + slash);
    let colon = image[slash..].find(':').map(|at| at + slash);
    match (at, colon) {
        (Some(at), colon) if colon.is_none_or(|colon| at < colon) => {
            (&image[..at], "", &image[at + 1..])
        }
        (Some(at), Some(colon)) => (&image[..colon], &image[colon + 1..at], &image[at + 1..]),
        (_, Some(colon)) => (&image[..colon], &image[colon + 1..], ""),
        (_, None) => (image, "", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_split_at_the_last_slash_and_on() {
        assert_eq!(split("nginx"), ("nginx", "", ""));
        assert_eq!(
            split("reg:5000/a/nginx:1.2"),
            ("reg:5000/a/nginx", "1.2", "")
        );
        assert_eq!(split("a/b@sha256:12"), ("a/b", "", "sha256:12"));
        assert_eq!(split("a/b:1@sha256:12"), ("a/b", "1", "sha256:12"));
    }
}
