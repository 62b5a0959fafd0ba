//! Unpacks Zstandard: one frame after the other, as `zstd` and `pzstd` write them.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

const BLOCK_BYTES: usize = 128 * 1024;

/// A reader of the text that is packed in `packed`. The window of a frame, which is held in memory,
/// is bounded by the decoder to 128 MiB.
pub(super) struct Unzstd<R> {
    packed: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Unzstd<R> {
    pub(super) fn new(packed: R) -> Self {
        Self {
            packed,
            decoder: FrameDecoder::new(),
            in_frame: false,
        }
    }

    /// Begins the next frame; false at the end of the file.
    fn next_frame(&mut self) -> io::Result<bool> {
        if self.packed.fill_buf()?.is_empty() {
            return Ok(false);
        }
        match self.decoder.reset(&mut self.packed) {
            Ok(()) => self.in_frame = true,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length,
                ..
            })) => {
                let skipped = u64::from(length);
                let read = io::copy(&mut (&mut self.packed).take(skipped), &mut io::sink())?;
                if read < skipped {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Err(err) => return Err(broken(err)),
        }
        Ok(true)
    }
}

impl<R: BufRead> Read for Unzstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.in_frame && !self.next_frame()? {
                return Ok(0);
            }
            if !self.in_frame {
                continue;
            }
            if self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let strategy = BlockDecodingStrategy::UptoBytes(BLOCK_BYTES);
                self.decoder
                    .decode_blocks(&mut self.packed, strategy)
                    .map_err(broken)?;
            }
            let bytes = self.decoder.read(buffer)?;
            if bytes > 0 {
                return Ok(bytes);
            }
            if self.decoder.is_finished() && self.decoder.can_collect() == 0 {
                self.in_frame = false;
                check(&self.decoder)?;
            }
        }
    }
}

/// Compares the checksum of a frame that has one.
fn check(decoder: &FrameDecoder) -> io::Result<()> {
    let stored = decoder.get_checksum_from_data();
    if stored.is_some() && stored != decoder.get_calculated_checksum() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the zstd file is damaged: its checksum differs",
        ));
    }
    Ok(())
}

fn broken(err: FrameDecoderError) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the zstd file is damaged, get it again: {err}"),
    )
}
