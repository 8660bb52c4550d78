//! `process_*`: what Prometheus client libraries export about their process, read from `/proc` at
//! each scrape. Absent where there is no `/proc`.

use std::fmt;
use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// The collector.
#[derive(Debug)]
pub(super) struct Process {
    ticks_per_second: f64,
    page_size: u64,
}

/// One reading.
#[derive(Debug, PartialEq)]
struct Reading {
    cpu_seconds: f64,
    resident_bytes: u64,
    virtual_bytes: u64,
    threads: u64,
}

impl Process {
    pub(super) fn new() -> Self {
        Self {
            ticks_per_second: rustix::param::clock_ticks_per_second() as f64,
            page_size: rustix::param::page_size() as u64,
        }
    }

    /// From the text of `/proc/self/stat` (proc_pid_stat(5)).
    fn parse(&self, stat: &str) -> Option<Reading> {
        // The second field is the command in parentheses, which may hold spaces.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<u64> = rest
            .split_whitespace()
            .map(|field| field.parse().unwrap_or_default())
            .collect();
        // `rest` begins with field 3.
        let field = |number: usize| fields.get(number - 3).copied();
        Some(Reading {
            cpu_seconds: (field(14)? + field(15)?) as f64 / self.ticks_per_second,
            threads: field(20)?,
            virtual_bytes: field(23)?,
            resident_bytes: field(24)? * self.page_size,
        })
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        if let Some(reading) = fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|s| self.parse(&s))
        {
            let cpu = ConstCounter::new(reading.cpu_seconds);
            let to = encoder.encode_descriptor(
                "process_cpu_seconds",
                "User and system CPU time of the process",
                None,
                cpu.metric_type(),
            )?;
            cpu.encode(to)?;
            for (name, help, value) in [
                (
                    "process_resident_memory_bytes",
                    "Resident memory",
                    reading.resident_bytes,
                ),
                (
                    "process_virtual_memory_bytes",
                    "Address space",
                    reading.virtual_bytes,
                ),
                ("process_threads", "Threads", reading.threads),
            ] {
                gauge(&mut encoder, name, help, value)?;
            }
        }
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            gauge(
                &mut encoder,
                "process_open_fds",
                "Open file descriptors",
                open.count() as u64,
            )?;
        }
        Ok(())
    }
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: u64,
) -> Result<(), fmt::Error> {
    let gauge = ConstGauge::new(value as f64);
    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let process = Process {
            ticks_per_second: 100.0,
            page_size: 4096,
        };
        let stat =
            "42 (a) b (c)) S 1 42 42 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 7 0 1 1000000 25 1";
        assert_eq!(
            process.parse(stat),
            Some(Reading {
                cpu_seconds: 2.0,
                resident_bytes: 25 * 4096,
                virtual_bytes: 1_000_000,
                threads: 7
            })
        );
        assert_eq!(process.parse("garbage"), None);
    }
}
