//! Runs an export: reads the products, writes them block by block, and keeps how far it has come.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use catalog_events::{ContentHash, Digest, Product};
use catalog_proto::v1;
use client_kit::Target;
use client_kit::export::{
    Adapted, Columns, ExportError, ExportFormat, ExportOptions, Fields, Form, LeftOut, Link, Reader,
};
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;

use crate::export::output::Output;
use crate::export::partial::State;
use crate::export::plan::Plan;
use crate::export::proof::{self, Proof};
use crate::export::report::{Report, Summary};

/// The text of a block that is written in one piece.
const BLOCK_BYTES: usize = 1024 * 1024;

/// An export as it was asked for.
pub(crate) struct Export<'e> {
    pub(crate) target: &'e Target,
    pub(crate) plan: &'e Plan,
    pub(crate) retry: Duration,
    pub(crate) stop: CancellationToken,
}

/// What an export came to.
pub(crate) struct Ended {
    pub(crate) summary: Summary,
    pub(crate) result: Result<(), ExportError>,
}

impl Export<'_> {
    /// Exports to the file, or to standard output where there is none.
    pub(crate) async fn run(
        &self,
        file: Option<&Path>,
        resume: bool,
        report: &mut Report,
    ) -> anyhow::Result<Ended> {
        let started = Instant::now();
        let (mut output, found) = Output::open(file, self.plan, resume)?;
        let resumed = found.is_some();
        if let Some(state) = &found {
            report.goes_on(state);
        }
        let mut state = found.unwrap_or_else(|| self.beginning());
        let before = state.products;
        let result = match self.form(&mut state, resumed, report).await? {
            Ok(form) => {
                let written = self.write(&form, &mut output, &mut state, resumed, report);
                written.await?
            }
            Err(err) => Err(err),
        };
        let begun = state.bytes > 0 || !state.after_id.is_empty();
        let mut summary = Summary::new(file, &state, started, state.products - before);
        match &result {
            Ok(()) => {
                summary.proof = self.proof(&state).await;
                output.complete()?;
            }
            Err(_) if begun => summary.resumable = file.is_some(),
            Err(_) => output.discard()?,
        }
        Ok(Ended { summary, result })
    }

    fn beginning(&self) -> State {
        State {
            plan: self.plan.kept(),
            position: self.plan.position.unwrap_or(0),
            event_id: String::new(),
            after_id: String::new(),
            bytes: 0,
            products: 0,
            looked_at: 0,
            left_out: BTreeMap::new(),
            adapted: BTreeMap::new(),
            digest: Digest::default().to_string(),
            columns: Vec::new(),
        }
    }

    fn reader(&self, state: &State) -> Reader<'_> {
        let options = ExportOptions {
            request: self.plan.request(state.position, state.after_id.clone()),
            event_id: Some(state.event_id.clone()).filter(|id| !id.is_empty()),
            retry: self.retry,
            metadata: MetadataMap::new(),
        };
        Reader::new(self.target, options, self.stop.clone())
    }

    /// The form to write. A table needs all products first, at the position that it is then written at.
    async fn form(
        &self,
        state: &mut State,
        resumed: bool,
        report: &mut Report,
    ) -> anyhow::Result<Result<Form, ExportError>> {
        let fields = &self.plan.fields;
        Ok(Ok(match (self.plan.format, &self.plan.link) {
            (ExportFormat::Google, Some(link)) => Form::merchant(Link::clone(link)),
            (ExportFormat::Jsonl | ExportFormat::Google, _) => Form::lines(Fields::clone(fields)),
            (ExportFormat::Csv, _) => {
                if !resumed && Columns::are_needed(fields) {
                    match self.columns(state, report).await? {
                        Ok(columns) => state.columns = columns.headers(),
                        Err(err) => return Ok(Err(err)),
                    }
                }
                let columns = Columns::of_headers(&state.columns);
                Form::table(fields, &columns.unwrap_or_default())
            }
        }))
    }

    async fn columns(
        &self,
        state: &mut State,
        report: &mut Report,
    ) -> anyhow::Result<Result<Columns, ExportError>> {
        let mut columns = Columns::default();
        let mut reader = self.reader(state);
        let mut looked_at = 0;
        loop {
            let answer = match reader.next(&mut |lost| report.retrying(&lost)).await {
                Ok(Some(answer)) => answer,
                Ok(None) => return Ok(Ok(columns)),
                Err(err) => return Ok(Err(err)),
            };
            state.position = answer.position;
            state.event_id.clone_from(&answer.event_id);
            for product in &answer.products {
                let added = columns.add(product, &self.plan.fields);
                added.map_err(anyhow::Error::msg)?;
            }
            looked_at += count(answer.looked_at);
            report.columns(looked_at, count(answer.total));
        }
    }

    async fn write(
        &self,
        form: &Form,
        output: &mut Output,
        state: &mut State,
        resumed: bool,
        report: &mut Report,
    ) -> anyhow::Result<Result<(), ExportError>> {
        let mut reader = self.reader(state);
        let mut writing = Writing {
            form,
            block: Vec::new(),
            digest: state.digest.parse().unwrap_or_default(),
        };
        if !resumed {
            form.head(&mut writing.block)?;
        }
        let result = loop {
            let answer = match reader.next(&mut |lost| report.retrying(&lost)).await {
                Ok(Some(answer)) => answer,
                Ok(None) => break Ok(()),
                Err(err) => break Err(err),
            };
            writing.take(&answer, state)?;
            report.progress(state, count(answer.total));
            if writing.block.len() >= BLOCK_BYTES
                && !self.append(&mut writing, output, state).await?
            {
                return Ok(Err(ExportError::Interrupted));
            }
        };
        let to_stdout = matches!(output, Output::Stdout(_));
        match &result {
            Ok(()) => form.tail(&mut writing.block),
            // Nothing was read, or nobody reads what is left.
            Err(_) if state.event_id.is_empty() || to_stdout => return Ok(result),
            Err(_) => {}
        }
        if self.append(&mut writing, output, state).await? {
            Ok(result)
        } else {
            Ok(Err(ExportError::Interrupted))
        }
    }

    async fn append(
        &self,
        writing: &mut Writing<'_>,
        output: &mut Output,
        state: &mut State,
    ) -> anyhow::Result<bool> {
        let written = output.append(&writing.block, state, &self.stop).await?;
        writing.block.clear();
        Ok(written)
    }

    /// Compares what was read with the log itself, where all of it was asked for.
    async fn proof(&self, state: &State) -> Proof {
        if self.plan.is_filtered() {
            return Proof::Partial;
        }
        proof::compare(self.target, state).await
    }
}

/// A block while it is filled.
struct Writing<'f> {
    form: &'f Form,
    block: Vec<u8>,
    digest: Digest,
}

impl Writing<'_> {
    fn take(
        &mut self,
        answer: &v1::ExportProductsResponse,
        state: &mut State,
    ) -> std::io::Result<()> {
        state.position = answer.position;
        state.event_id.clone_from(&answer.event_id);
        for product in &answer.products {
            match self.form.write(product, &mut self.block)? {
                Ok(Adapted(ways)) => {
                    state.products += 1;
                    for way in ways {
                        *state.adapted.entry(way.to_owned()).or_default() += 1;
                    }
                }
                Err(LeftOut(reason)) => *state.left_out.entry(reason.to_owned()).or_default() += 1,
            }
            if let Some((version, product)) = Product::from_message(product) {
                self.digest
                    .insert(ContentHash::of(&product.id, version, &product));
            }
        }
        state.digest = self.digest.to_string();
        state.looked_at += count(answer.looked_at);
        if !answer.reached_id.is_empty() {
            state.after_id.clone_from(&answer.reached_id);
        }
        Ok(())
    }
}

fn count<N: TryInto<u64>>(count: N) -> u64 {
    count.try_into().unwrap_or_default()
}
