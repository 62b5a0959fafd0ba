//! Draws the faults of a schedule and their times. Invariant: one seed and one set of kinds give
//! one schedule, on every machine.

use std::fmt;
use std::ops::Range;

use clap::ValueEnum;

use crate::cluster::{Link, LinkFault};

/// The time within which strikes begin and end; then everything is healed.
pub(super) const STRIKES_MS: u64 = 3_600;
const STRIKES_MAX: usize = 3;
const FIRST_STRIKE_MS: Range<u64> = 200..900;
const STRIKE_MS: Range<u64> = 400..2_200;
/// The most draws: a strike that collides with another is drawn again.
const DRAWS_MAX: usize = 50;

/// Kinds of fault, as `--faults` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub(super) enum Kind {
    /// kill -9, and started again after a while
    Kill,
    /// SIGSTOP, and SIGCONT after a while
    Pause,
    /// Asked to end, and started again
    Restart,
    /// A connection that delays, with jitter
    Delay,
    /// A network partition that heals: nothing flows, nothing is lost
    Stall,
    /// What is sent vanishes, and the peer says nothing
    HalfOpen,
    /// Connections are reset again and again
    Reset,
    /// Connections are refused
    Refuse,
    /// A connection of a few kilobytes a second
    Throttle,
    /// The consumers of the stream are deleted on the server
    Consumers,
    /// The stream is deleted on the server
    Stream,
    /// The broker loses the last part of the stream
    Tail,
    /// The power of the broker's disk is cut; needs root and loop mounts
    PowerCut,
    /// The read model is rebuilt while writes go on
    Rebuild,
    /// A second read service comes and is killed
    Replica,
}

/// A process that can be struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Command,
    Query,
    Bff,
    Postgres,
    Nats,
}

impl Target {
    const ALL: [Target; 5] = [
        Target::Command,
        Target::Query,
        Target::Bff,
        Target::Postgres,
        Target::Nats,
    ];
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    Kill(Target),
    Pause(Target),
    Restart(Target),
    Link(Link, LinkFault),
    DeleteConsumers,
    DeleteStream,
    LoseTail,
    PowerCut,
    Rebuild,
    Replica,
}

/// A fault with its beginning and end, counted from the start of the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Strike {
    pub(super) fault: Fault,
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Schedule {
    pub(super) seed: u64,
    pub(super) strikes: Vec<Strike>,
}

impl Schedule {
    /// Draws one to three strikes of the kinds given; two of them may overlap.
    pub(super) fn of(seed: u64, kinds: &[Kind]) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let wanted = random.usize(1..=STRIKES_MAX);
        let mut strikes: Vec<Strike> = Vec::new();
        for _ in 0..DRAWS_MAX {
            if strikes.len() == wanted || kinds.is_empty() {
                break;
            }
            let strike = draw(&mut random, kinds);
            if strikes.iter().all(|other| !strike.collides(other)) {
                strikes.push(strike);
            }
        }
        strikes.sort_by_key(|strike| strike.from_ms);
        Self { seed, strikes }
    }

    /// Whether the broker may have lost events that it had.
    pub(super) fn loses_events(&self) -> bool {
        self.strikes.iter().any(|strike| {
            matches!(
                strike.fault,
                Fault::DeleteStream | Fault::LoseTail | Fault::PowerCut
            )
        })
    }
}

fn draw(random: &mut fastrand::Rng, kinds: &[Kind]) -> Strike {
    let kind = pick(random, kinds);
    let fault = fault(random, kind);
    let from_ms = if random.bool() {
        random.u64(FIRST_STRIKE_MS)
    } else {
        random.u64(FIRST_STRIKE_MS.start..STRIKES_MS - STRIKE_MS.start)
    };
    let to_ms = (from_ms + random.u64(STRIKE_MS)).min(STRIKES_MS);
    Strike {
        fault,
        from_ms,
        to_ms,
    }
}

/// Picks a kind. Faults of processes are likelier than those of connections, of which there are
/// many kinds.
fn pick(random: &mut fastrand::Rng, kinds: &[Kind]) -> Kind {
    let weight = |kind: &Kind| match kind {
        Kind::Kill => 4,
        Kind::Pause | Kind::Tail | Kind::Stream | Kind::PowerCut => 2,
        _ => 1,
    };
    let all: u32 = kinds.iter().map(weight).sum();
    let mut left = random.u32(..all);
    for kind in kinds {
        match left.checked_sub(weight(kind)) {
            Some(rest) => left = rest,
            None => return *kind,
        }
    }
    kinds[0]
}

fn fault(random: &mut fastrand::Rng, kind: Kind) -> Fault {
    let target = Target::ALL[random.usize(..Target::ALL.len())];
    let link = Link::ALL[random.usize(..Link::ALL.len())];
    let delay_ms = random.u64(5..60);
    let on_link = |fault| Fault::Link(link, fault);
    match kind {
        Kind::Kill => Fault::Kill(target),
        Kind::Pause => Fault::Pause(target),
        Kind::Restart => Fault::Restart(target),
        Kind::Delay => on_link(LinkFault::Delay {
            ms: delay_ms,
            jitter_ms: delay_ms,
        }),
        Kind::Stall => on_link(LinkFault::Stall),
        Kind::HalfOpen => on_link(LinkFault::HalfOpen),
        Kind::Reset => on_link(LinkFault::Reset),
        Kind::Refuse => on_link(LinkFault::Refuse),
        Kind::Throttle => on_link(LinkFault::Throttle {
            bytes_per_second: 1_000 * delay_ms,
        }),
        Kind::Consumers => Fault::DeleteConsumers,
        Kind::Stream => Fault::DeleteStream,
        Kind::Tail => Fault::LoseTail,
        Kind::PowerCut => Fault::PowerCut,
        Kind::Rebuild => Fault::Rebuild,
        Kind::Replica => Fault::Replica,
    }
}

impl Strike {
    /// Whether two strikes hit one thing at one time: they would undo each other.
    fn collides(&self, other: &Strike) -> bool {
        let at_once = self.from_ms <= other.to_ms && other.from_ms <= self.to_ms;
        at_once && self.fault.victim() == other.fault.victim()
    }
}

#[derive(PartialEq)]
enum Victim {
    Process(Target),
    Link(Link),
    Rebuild,
    Replica,
}

impl Fault {
    fn victim(&self) -> Victim {
        match self {
            Fault::Kill(target) | Fault::Pause(target) | Fault::Restart(target) => {
                Victim::Process(*target)
            }
            Fault::DeleteConsumers | Fault::DeleteStream | Fault::LoseTail | Fault::PowerCut => {
                Victim::Process(Target::Nats)
            }
            Fault::Link(link, _) => Victim::Link(*link),
            Fault::Rebuild => Victim::Rebuild,
            Fault::Replica => Victim::Replica,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Target::Command => "command",
            Target::Query => "query",
            Target::Bff => "bff",
            Target::Postgres => "postgres",
            Target::Nats => "nats",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Kill(target) => write!(f, "kill {target}"),
            Fault::Pause(target) => write!(f, "pause {target}"),
            Fault::Restart(target) => write!(f, "restart {target}"),
            Fault::Link(link, fault) => write!(f, "{fault} {link}"),
            Fault::DeleteConsumers => f.write_str("delete consumers"),
            Fault::DeleteStream => f.write_str("delete stream"),
            Fault::LoseTail => f.write_str("lose tail"),
            Fault::PowerCut => f.write_str("power cut"),
            Fault::Rebuild => f.write_str("rebuild"),
            Fault::Replica => f.write_str("replica"),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for Strike {
            fault,
            from_ms,
            to_ms,
        } in &self.strikes
        {
            write!(f, "{separator}{fault} @{from_ms}-{to_ms}")?;
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_is_a_schedule_and_schedules_differ() {
        let kinds = Kind::value_variants();
        let all: Vec<Schedule> = (0..500).map(|seed| Schedule::of(seed, kinds)).collect();
        assert_eq!(Schedule::of(7, kinds), all[7]);
        let shown: HashSet<String> = all.iter().map(Schedule::to_string).collect();
        assert!(shown.len() > 490, "{}", shown.len());
        for schedule in &all {
            assert!((1..=STRIKES_MAX).contains(&schedule.strikes.len()));
            for strike in &schedule.strikes {
                assert!(strike.from_ms < strike.to_ms, "{schedule}");
                assert!(strike.to_ms <= STRIKES_MS, "{schedule}");
                let others = schedule.strikes.iter().filter(|other| *other != strike);
                assert_eq!(others.filter(|other| strike.collides(other)).count(), 0);
            }
        }
    }

    #[test]
    fn only_kinds_that_were_asked_for_happen_and_each_of_them_does() {
        for kind in Kind::value_variants() {
            let schedule = Schedule::of(1, &[*kind]);
            assert!(!schedule.strikes.is_empty(), "{kind:?}");
        }
        let kinds = [Kind::Kill, Kind::Pause];
        let strikes = (0..100).flat_map(|seed| Schedule::of(seed, &kinds).strikes);
        for strike in strikes {
            let asked_for = matches!(strike.fault, Fault::Kill(_) | Fault::Pause(_));
            assert!(asked_for, "{:?}", strike.fault);
        }
    }
}
