//! `migrate!` reads the folders at compile time: a new file must trigger a new build.

fn main() {
    for folder in ["command", "query"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
