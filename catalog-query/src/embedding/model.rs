//! Runs all-MiniLM-L6-v2, or a model of the same shape, on the CPU: a text becomes tokens, the
//! network computes a state for each token, and the vector is the mean of the states.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, TryFromValueError, ValueOrView};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use sha2::{Digest as _, Sha256};
use tokenizers::{Tokenizer, TruncationParams};

use crate::embedding::EmbedError;

/// The most tokens of a text that the network reads.
const TOKENS_MAX: usize = 256;
/// The part of a text that is split into tokens: far more than 256 tokens of any language. Without
/// this bound, a megabyte would be split for nothing.
const TEXT_BYTES_MAX: usize = 8_192;

/// The model that `devkit` downloads.
const KNOWN_SHA256: &str = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6";
const KNOWN_NAME: &str = "all-MiniLM-L6-v2-int8";

/// The ids of the tokens of a text.
pub(crate) type Tokens = Vec<u32>;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelError {
    #[error("cannot read {file}")]
    Read { file: PathBuf, source: io::Error },
    #[error("the tokenizer cannot be used")]
    Tokenizer(#[source] tokenizers::Error),
    #[error("the network cannot be used")]
    Network(#[source] rten::LoadError),
    #[error("the network has no {0}")]
    Node(&'static str),
    #[error("the network fails on a first text")]
    FirstText(#[source] EmbedError),
    #[error("cannot start a thread for the model")]
    Thread(#[source] io::Error),
}

/// A network and its tokenizer, shared by all threads that run them.
pub(crate) struct LocalModel {
    name: String,
    dimensions: usize,
    tokenizer: Tokenizer,
    network: Model,
    /// In this order: token ids, attention mask and, where the network has it, token types.
    inputs: Vec<NodeId>,
    output: NodeId,
}

impl LocalModel {
    /// Loads `model.onnx` and `tokenizer.json`, the latter in the format of the `tokenizers` crate.
    pub(crate) fn load(folder: &Path) -> Result<Self, ModelError> {
        let onnx = read(folder.join("model.onnx"))?;
        let tokenizer = read(folder.join("tokenizer.json"))?;
        let name = name(&onnx);
        let mut options = ModelOptions::with_all_ops();
        // Takes 40 MB more and a tenth of the time for each query.
        options.prepack_weights(true);
        let network = options.load(onnx).map_err(ModelError::Network)?;
        let (inputs, output) = nodes(&network)?;
        let mut model = Self {
            name,
            dimensions: 0,
            tokenizer: usable_tokenizer(&tokenizer).map_err(ModelError::Tokenizer)?,
            network,
            inputs,
            output,
        };
        let one_thread = Arc::new(ThreadPool::with_num_threads(1));
        let vectors = model
            .tokens("first")
            .and_then(|first| model.embed(&[first], &one_thread))
            .map_err(ModelError::FirstText)?;
        model.dimensions = vectors.first().map_or(0, Vec::len);
        Ok(model)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether the word is one token.
    pub(crate) fn knows(&self, word: &str) -> bool {
        self.tokenizer.token_to_id(word).is_some()
    }

    pub(crate) fn tokens(&self, text: &str) -> Result<Tokens, EmbedError> {
        let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
        let encoding = self
            .tokenizer
            .encode_fast(text, true)
            .map_err(EmbedError::Model)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The vectors of texts that have the same number of tokens: padding shorter ones would cost
    /// more than a batch saves.
    pub(crate) fn embed(
        &self,
        texts: &[Tokens],
        threads: &Arc<ThreadPool>,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        let states = self.run(texts, threads)?;
        let [count, tokens, width] = states.shape();
        if count != texts.len() || tokens * width == 0 {
            let shape = format!("the network answers {count} x {tokens} x {width} numbers");
            return Err(EmbedError::Model(shape.into()));
        }
        let numbers = states.into_data();
        let texts = numbers.chunks_exact(tokens * width);
        Ok(texts.map(|states| mean(states, width)).collect())
    }

    /// The last hidden states: texts x tokens x width numbers.
    fn run(
        &self,
        texts: &[Tokens],
        threads: &Arc<ThreadPool>,
    ) -> Result<NdTensor<f32, 3>, EmbedError> {
        let shape = [texts.len(), texts.first().map_or(0, Vec::len)];
        let flat: Vec<i32> = texts.iter().flatten().map(|id| id.cast_signed()).collect();
        if flat.len() != shape[0] * shape[1] {
            let differ = "the texts of a batch have different lengths";
            return Err(EmbedError::Model(differ.into()));
        }
        let ids = NdTensor::from_data(shape, flat);
        let mask = NdTensor::<i32, 2>::full(shape, 1);
        let types = NdTensor::<i32, 2>::zeros(shape);
        let values = [ids, mask, types].map(ValueOrView::from);
        let inputs = self.inputs.iter().copied().zip(values).collect();
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(threads)));
        let [states] = self
            .network
            .run_n(inputs, [self.output], Some(options))
            .map_err(|err| EmbedError::Model(err.into()))?;
        NdTensor::try_from(states).map_err(|err: TryFromValueError| EmbedError::Model(err.into()))
    }
}

fn read(file: PathBuf) -> Result<Vec<u8>, ModelError> {
    std::fs::read(&file).map_err(|source| ModelError::Read { file, source })
}

/// The name of a network, from its hash. An unknown network must not have the name of the known
/// one: the vectors of both would be compared.
fn name(onnx: &[u8]) -> String {
    let sha256: String = Sha256::digest(onnx)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if sha256 == KNOWN_SHA256 {
        KNOWN_NAME.to_owned()
    } else {
        format!("onnx-{}", &sha256[..12])
    }
}

/// A tokenizer without padding that cuts texts at [`TOKENS_MAX`].
fn usable_tokenizer(json: &[u8]) -> tokenizers::Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_bytes(json)?;
    // The file asks for padding to 128 tokens, which every short query would pay for.
    tokenizer.with_padding(None);
    tokenizer.with_truncation(Some(TruncationParams {
        max_length: TOKENS_MAX,
        ..TruncationParams::default()
    }))?;
    Ok(tokenizer)
}

/// The inputs of the network, in the order of [`LocalModel::inputs`], and its output.
fn nodes(network: &Model) -> Result<(Vec<NodeId>, NodeId), ModelError> {
    let node = |name| network.find_node(name).ok_or(ModelError::Node(name));
    let mut inputs = vec![node("input_ids")?, node("attention_mask")?];
    inputs.extend(network.find_node("token_type_ids"));
    Ok((inputs, node("last_hidden_state")?))
}

/// The mean of the states of all tokens, at length one.
fn mean(states: &[f32], width: usize) -> Vec<f32> {
    let mut mean = vec![0.0; width];
    for state in states.chunks_exact(width) {
        for (sum, value) in mean.iter_mut().zip(state) {
            *sum += value;
        }
    }
    let length = mean.iter().map(|value| value * value).sum::<f32>().sqrt();
    for value in &mut mean {
        *value /= length.max(f32::MIN_POSITIVE);
    }
    mean
}
