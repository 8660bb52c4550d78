//! What is printed at the end.

use std::time::Duration;

use weir_tests_support::Tally;

/// What one phase took.
#[derive(Clone, Debug)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) elapsed: Duration,
    /// Until the object that a commit changed was written.
    pub(crate) first_write: Option<Duration>,
    pub(crate) requests: Tally,
    pub(crate) cpu: Duration,
    /// In bytes, since the start of the subject.
    pub(crate) peak_memory: u64,
}

/// The phases of one subject.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) subject: &'static str,
    pub(crate) phases: Vec<Phase>,
    /// Why there are no more phases.
    pub(crate) stopped: Option<String>,
}

/// Prints the phases of each subject, and how they compare.
pub(crate) fn print(count: usize, runs: &[Run]) {
    println!(
        "\n{count} Kustomizations\n\n{:8} {:12} {:>9} {:>9} {:>11} {:>9} {:>11} {:>9}",
        "subject", "phase", "seconds", "requests", "per object", "CPU s", "CPU s/obj", "peak MiB"
    );
    for run in runs {
        for phase in &run.phases {
            let total = phase.requests.total();
            println!(
                "{:8} {:12} {:>9.2} {:>9} {:>11.2} {:>9.2} {:>11.4} {:>9}",
                run.subject,
                phase.name,
                phase.elapsed.as_secs_f64(),
                total,
                total as f64 / count as f64,
                phase.cpu.as_secs_f64(),
                phase.cpu.as_secs_f64() / count as f64,
                phase.peak_memory >> 20,
            );
        }
        if let Some(why) = &run.stopped {
            println!("{:8} stopped: {why}", run.subject);
        }
    }
    println!("\nrequests by verb");
    for run in runs {
        for phase in &run.phases {
            println!("{:8} {:12} {}", run.subject, phase.name, phase.requests);
            if let Some(first) = phase.first_write {
                println!(
                    "{:8} {:12} the changed object was written after {:.2} s",
                    "",
                    "",
                    first.as_secs_f64()
                );
            }
        }
    }
    if let [ours, theirs] = runs {
        compare(ours, theirs);
    }
}

fn compare(ours: &Run, theirs: &Run) {
    println!("\n{} against {}", ours.subject, theirs.subject);
    for phase in &ours.phases {
        let Some(other) = theirs.phases.iter().find(|other| other.name == phase.name) else {
            continue;
        };
        println!(
            "{:12} {:>6.1}x the speed, {:.2}x the memory",
            phase.name,
            other.elapsed.as_secs_f64() / phase.elapsed.as_secs_f64().max(1e-3),
            phase.peak_memory as f64 / (other.peak_memory as f64).max(1.0),
        );
    }
}
