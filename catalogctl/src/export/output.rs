//! Where an export goes: a file that grows beside its target, or standard output.

use std::path::Path;

use anyhow::ensure;
use tokio::io::{AsyncWriteExt as _, Stdout};
use tokio_util::sync::CancellationToken;

use crate::export::partial::{Partial, State};
use crate::export::plan::Plan;

pub(crate) enum Output {
    Stdout(Stdout),
    File(Partial),
}

impl Output {
    /// Opens the file, or standard output where there is none, and tells how far an export has come
    /// that goes on.
    pub(crate) fn open(
        file: Option<&Path>,
        plan: &Plan,
        resume: bool,
    ) -> anyhow::Result<(Self, Option<State>)> {
        let Some(path) = file else {
            return Ok((Self::Stdout(tokio::io::stdout()), None));
        };
        let mut partial = Partial::open(path, plan.packing)?;
        let state = if resume { partial.state()? } else { None };
        match &state {
            Some(state) => {
                check(plan, state)?;
                partial.go_on(state)?;
            }
            None => partial.begin()?,
        }
        Ok((Self::File(partial), state))
    }

    /// Appends a block. A reader of standard output may be slow, so `stop` ends the wait; false then.
    pub(crate) async fn append(
        &mut self,
        block: &[u8],
        state: &mut State,
        stop: &CancellationToken,
    ) -> anyhow::Result<bool> {
        match self {
            Self::File(partial) => {
                partial.append(block, state)?;
                Ok(true)
            }
            Self::Stdout(stdout) => {
                state.bytes += block.len() as u64;
                let written = async {
                    stdout.write_all(block).await?;
                    stdout.flush().await
                };
                tokio::select! {
                    biased;
                    written = written => Ok(written.map(|()| true)?),
                    () = stop.cancelled() => Ok(false),
                }
            }
        }
    }

    pub(crate) fn complete(self) -> anyhow::Result<()> {
        match self {
            Self::File(partial) => partial.complete(),
            Self::Stdout(_) => Ok(()),
        }
    }

    /// Leaves nothing behind where nothing was read.
    pub(crate) fn discard(self) -> anyhow::Result<()> {
        match self {
            Self::File(partial) => partial.discard(),
            Self::Stdout(_) => Ok(()),
        }
    }
}

/// Refuses to go on with another plan.
fn check(plan: &Plan, state: &State) -> anyhow::Result<()> {
    ensure!(
        plan.kept() == state.plan,
        "the export to go on with has other options than this one (format, fields, brand, category, \
         status or link): give the same, or export without --resume"
    );
    ensure!(
        plan.position.is_none_or(|asked| asked == state.position),
        "the export to go on with is at position {}: leave --position out, or export without --resume",
        state.position
    );
    Ok(())
}
