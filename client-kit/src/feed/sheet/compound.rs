//! The workbook of an old spreadsheet, taken out of its compound file (MS-CFB).
//! Invariant: every chain of sectors is followed once, so that one in a circle is told; the reader of the
//! spreadsheet would follow it until the memory is full.

const HEADER_BYTES: usize = 512;
const SIGNATURE: [u8; 8] = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
const END_OF_CHAIN: u32 = 0xffff_fffe;
/// From here on, a number is none of a sector.
const RESERVED: u32 = 0xffff_fffa;
const MINI_BYTES: usize = 64;
/// Streams below this size are in mini sectors.
const MINI_STREAM_BYTES: usize = 4096;
const ENTRY_BYTES: usize = 128;

/// The workbook in a compound file. The error says what is damaged.
pub(super) fn workbook(file: &[u8]) -> Result<Vec<u8>, &'static str> {
    let compound = Compound::open(file)?;
    let entries = compound.chain(word(file, 48)?, usize::MAX)?;
    let entries: Vec<&[u8]> = entries.chunks_exact(ENTRY_BYTES).collect();
    let root = entries.first().ok_or("it has no directory")?;
    let named = |wanted: &str| entries.iter().find(|entry| is_named(entry, wanted));
    let entry = named("Workbook").or_else(|| named("Book"));
    let entry = entry.ok_or("it has no workbook")?;
    // Both are read with the file, whatever they are for.
    let count = word(file, 64)? as usize;
    let (mini, mini_fat) = if count > 0 {
        let bytes = count.saturating_mul(compound.sector_bytes);
        (
            compound.chain(word(root, 116)?, compound.length(root)?)?,
            words(&compound.chain(word(file, 60)?, bytes)?),
        )
    } else {
        (Vec::new(), Vec::new())
    };
    let (start, length) = (word(entry, 116)?, compound.length(entry)?);
    if length >= MINI_STREAM_BYTES {
        return compound.chain(start, length);
    }
    let sectors = Sectors {
        bytes: &mini,
        size: MINI_BYTES,
    };
    chain(&sectors, &mini_fat, start, length)
}

/// A file with the table that tells which sector comes after which.
struct Compound<'f> {
    sectors: Sectors<'f>,
    sector_bytes: usize,
    fat: Vec<u32>,
}

impl<'f> Compound<'f> {
    fn open(file: &'f [u8]) -> Result<Self, &'static str> {
        if !file.starts_with(&SIGNATURE) || file.len() < HEADER_BYTES {
            return Err("its header is cut off");
        }
        let sector_bytes = match file[30..32] {
            [9, 0] => 512,
            [12, 0] => 4096,
            _ => return Err("its sectors have no size"),
        };
        let sectors = Sectors {
            bytes: file.get(sector_bytes..).unwrap_or_default(),
            size: sector_bytes,
        };
        let mut tables = words(&file[76..HEADER_BYTES]);
        let mut next = word(file, 68)?;
        while next < RESERVED {
            tables.extend(words(sectors.get(next)?));
            next = tables.pop().unwrap_or(END_OF_CHAIN);
            if tables.len() > sectors.count() * 2 + HEADER_BYTES {
                return Err("its list of tables is a circle");
            }
        }
        tables.retain(|table| *table < RESERVED);
        if tables.len() > sectors.count() {
            return Err("it has more tables than sectors");
        }
        let mut fat = Vec::new();
        for table in tables {
            fat.extend(words(sectors.get(table)?));
        }
        Ok(Self {
            sectors,
            sector_bytes,
            fat,
        })
    }

    fn chain(&self, start: u32, bytes_max: usize) -> Result<Vec<u8>, &'static str> {
        chain(&self.sectors, &self.fat, start, bytes_max)
    }

    /// The length of the stream of an entry.
    fn length(&self, entry: &[u8]) -> Result<usize, &'static str> {
        let high = if self.sector_bytes == 512 {
            0
        } else {
            u64::from(word(entry, 124)?)
        };
        let length = (high << 32) | u64::from(word(entry, 120)?);
        usize::try_from(length).map_err(|_| "a stream is too long")
    }
}

struct Sectors<'s> {
    bytes: &'s [u8],
    size: usize,
}

impl<'s> Sectors<'s> {
    fn count(&self) -> usize {
        self.bytes.len() / self.size + 1
    }

    /// A sector; the last one of the file may be cut off.
    fn get(&self, number: u32) -> Result<&'s [u8], &'static str> {
        let start = (number as usize).saturating_mul(self.size);
        let end = self.bytes.len().min(start.saturating_add(self.size));
        let found = self.bytes.get(start..end).filter(|it| !it.is_empty());
        found.ok_or("a sector is behind its end")
    }
}

/// The bytes of the sectors from `start` on, as many as are wanted.
fn chain(
    sectors: &Sectors<'_>,
    fat: &[u32],
    start: u32,
    bytes_max: usize,
) -> Result<Vec<u8>, &'static str> {
    let (mut bytes, mut next, mut left) = (Vec::new(), start, sectors.count());
    while next != END_OF_CHAIN && bytes.len() < bytes_max {
        left = left.checked_sub(1).ok_or("its sectors are in a circle")?;
        let sector = sectors.get(next)?;
        let wanted = sector.len().min(bytes_max - bytes.len());
        bytes.extend_from_slice(&sector[..wanted]);
        if bytes.len() < bytes_max {
            next = *fat.get(next as usize).ok_or("a sector has no next one")?;
        }
    }
    Ok(bytes)
}

fn is_named(entry: &[u8], wanted: &str) -> bool {
    let units = entry[..64].chunks_exact(2).map(|it| [it[0], it[1]]);
    let units = units.map(u16::from_le_bytes).take_while(|unit| *unit != 0);
    let name: String = char::decode_utf16(units)
        .map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    name.eq_ignore_ascii_case(wanted)
}

fn word(bytes: &[u8], at: usize) -> Result<u32, &'static str> {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    found
        .map(|it| u32::from_le_bytes(*it))
        .ok_or("it is cut off")
}

fn words(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.as_chunks().0.iter();
    words.map(|word| u32::from_le_bytes(*word)).collect()
}
