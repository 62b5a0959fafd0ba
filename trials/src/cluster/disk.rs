//! A disk for the broker whose power can be cut: ext4 in a file, mounted as a loop device. It needs
//! root, loop devices and `python3`; [`Disk::possible`] tells whether they are there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail};

/// The script that owns the mount. `$1` is the image, `$2` the folder. Each line that it reads is a
/// command, and each is answered by one line. The end of its input unmounts, however its owner
/// ends. The shutdown of ext4 without a flush of its journal (`EXT4_IOC_SHUTDOWN`, 2) drops what
/// was not synced, as a power cut does.
const SCRIPT: &str = r#"
set -e
truncate -s 512M "$1"
mkfs.ext4 -q -F "$1"
mkdir -p "$2"
mount -o loop "$1" "$2"
echo done
set +e
while read -r command; do
    case $command in
    cut) python3 -c 'import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))' "$2" ;;
    again) umount "$2" && mount -o loop "$1" "$2" ;;
    esac && echo done || echo failed
done
umount -l "$2"
rm -f "$1"
"#;

/// A mounted disk. It is unmounted when it is dropped, and when this process ends.
#[derive(Debug)]
pub(crate) struct Disk {
    shell: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Disk {
    /// Tries whether this machine can do it.
    pub(crate) fn possible() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut disk = Self::mount(folder.path(), &folder.path().join("mnt"))?;
        disk.cut()?;
        disk.mount_again()
    }

    /// Mounts a disk at `at`; its image is kept in `folder`.
    pub(crate) fn mount(folder: &Path, at: &Path) -> anyhow::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "catalog-disk"])
            .args([&folder.join("disk.img"), at])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let input = shell.stdin.take();
        let output = shell.stdout.take().context("a shell without output")?;
        let mut disk = Self {
            shell,
            input,
            output: BufReader::new(output),
        };
        disk.wait("mount a loop device")?;
        Ok(disk)
    }

    /// Cuts the power: from now on every access fails, and what was not synced is gone.
    pub(crate) fn cut(&mut self) -> anyhow::Result<()> {
        self.command("cut")
    }

    /// Mounts the disk again, which recovers it as after a power cut. Nothing may have a file open
    /// on it.
    pub(crate) fn mount_again(&mut self) -> anyhow::Result<()> {
        self.command("again")
    }

    fn command(&mut self, command: &str) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("the disk is gone")?;
        writeln!(input, "{command}")?;
        self.wait(command)
    }

    fn wait(&mut self, command: &str) -> anyhow::Result<()> {
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        if answer.trim() != "done" {
            bail!("cannot {command}");
        }
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.shell.wait();
    }
}
