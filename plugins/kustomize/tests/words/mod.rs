//! Compares our errors with what the real kustomize printed. Also used by the test that runs the
//! corpus in the plugin runtime (`host/plugin/tests/renderers`).

/// How two errors compare.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Same,
    /// They name the same cause, and what was being done differently.
    SameCause,
    Different,
}

/// Compares standard error of kustomize, warnings and all, with a message of ours.
pub(crate) fn compare(expected: &str, got: &str) -> Words {
    let at = expected.find("Error:").unwrap_or(0);
    let (expected, got) = (normalized(&expected[at..]), normalized(got));
    let expected = expected.trim_start_matches("Error: ");
    if expected == got {
        Words::Same
    } else if cause(expected) == cause(&got) {
        Words::SameCause
    } else {
        Words::Different
    }
}

/// Without words that change from run to run, or print the whole state of the program.
fn normalized(text: &str) -> String {
    let mut out = text.trim().to_owned();
    while let Some(at) = out.find("&{0xADDRESS") {
        let end = out[at..].find("}: ").map_or(out.len(), |end| at + end + 3);
        out.replace_range(at..end, "");
    }
    // What Go prints of its own structs says nothing about the build.
    if let Some(at) = out.find("\n--\n&resource.Resource{") {
        out.truncate(at);
    }
    out.trim().replace("generator id", "generator: id")
}

/// The innermost part of an error: what went wrong with what.
fn cause(text: &str) -> &str {
    text.rsplit("': ").next().unwrap_or(text)
}
