//! Splits a stream of concatenated images by the lengths in their formats.

use std::io::{self, BufRead};

use crate::pixels::MAX_FILE_BYTES;

/// Iterates over the images of a stream as bytes: JPEG, PNG, GIF, BMP, WebP and binary PNM, in any mixture.
///
/// The length of an image follows from its format; [`decode`](crate::decode) checks its content. If the bytes after an
/// image do not begin another one, or the stream ends inside an image, the iterator returns one error and ends.
#[derive(Debug)]
pub struct ImageStream<R> {
    source: R,
    /// Number of images so far.
    count: usize,
    /// Number of bytes so far.
    offset: u64,
    is_over: bool,
}

/// The stream cannot be split into images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The stream cannot be read.
    #[error("cannot read the stream after {offset} bytes")]
    Read {
        /// Number of bytes before the failure.
        offset: u64,
        /// The underlying error.
        #[source]
        source: io::Error,
    },
    /// The stream ends too early.
    #[error("the stream ends inside image {image}, which begins at byte {offset}")]
    Cut {
        /// Index of the image, from 0.
        image: usize,
        /// Offset of the image's first byte.
        offset: u64,
    },
    /// The bytes do not begin an image.
    #[error(
        "image {image}, at byte {offset}, begins like no JPEG, PNG, GIF, BMP, WebP or binary PNM ({found:02x?}): the rest of the stream cannot be split into images"
    )]
    Unknown {
        /// Index of the image, from 0.
        image: usize,
        /// Offset of the image's first byte.
        offset: u64,
        /// First bytes found.
        found: Vec<u8>,
    },
    /// The image violates its format.
    #[error(
        "image {image}, at byte {offset}, breaks the rules of {format}: the rest of the stream cannot be split into images"
    )]
    Broken {
        /// Index of the image, from 0.
        image: usize,
        /// Offset of the image's first byte.
        offset: u64,
        /// Name of the format, such as `JPEG`.
        format: &'static str,
    },
    /// The image claims more bytes than the limit.
    #[error("image {image}, at byte {offset}, claims more than {limit} bytes")]
    TooLarge {
        /// Index of the image, from 0.
        image: usize,
        /// Offset of the image's first byte.
        offset: u64,
        /// Largest accepted number of bytes.
        limit: u64,
    },
}

/// The reason why the end of an image cannot be found.
#[derive(Debug)]
enum Flaw {
    Read(io::Error),
    Cut,
    Unknown(Vec<u8>),
    Broken(&'static str),
    TooLarge,
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Cut,
            _ => Self::Read(error),
        }
    }
}

impl<R: BufRead> ImageStream<R> {
    /// Iterates over the images of `source`.
    pub fn new(source: R) -> Self {
        Self {
            source,
            count: 0,
            offset: 0,
            is_over: false,
        }
    }
}

impl<R: BufRead> Iterator for ImageStream<R> {
    type Item = Result<Vec<u8>, StreamError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let (image, offset) = (self.count, self.offset);
        let mut taken = Taken {
            source: &mut self.source,
            bytes: Vec::new(),
        };
        let flaw = match taken.image() {
            Ok(false) => {
                self.is_over = true;
                return None;
            }
            Ok(true) => {
                self.count += 1;
                self.offset += taken.bytes.len() as u64;
                return Some(Ok(taken.bytes));
            }
            Err(flaw) => flaw,
        };
        self.is_over = true;
        let limit = MAX_FILE_BYTES;
        Some(Err(match flaw {
            Flaw::Read(source) => StreamError::Read { offset, source },
            Flaw::Cut => StreamError::Cut { image, offset },
            Flaw::Unknown(found) => StreamError::Unknown {
                image,
                offset,
                found,
            },
            Flaw::Broken(format) => StreamError::Broken {
                image,
                offset,
                format,
            },
            Flaw::TooLarge => StreamError::TooLarge {
                image,
                offset,
                limit,
            },
        }))
    }
}

/// Returns whether `bytes` end before the end of the image at their beginning.
pub(crate) fn ends_inside_image(bytes: &[u8]) -> bool {
    let mut taken = Taken {
        source: &mut &*bytes,
        bytes: Vec::with_capacity(bytes.len()),
    };
    matches!(taken.image(), Err(Flaw::Cut | Flaw::TooLarge))
}

/// The bytes of the current image.
struct Taken<'a, R> {
    source: &'a mut R,
    bytes: Vec<u8>,
}

impl<R: BufRead> Taken<'_, R> {
    /// Reads one image; returns false at the end of the stream.
    fn image(&mut self) -> Result<bool, Flaw> {
        // A line break may follow a PNM image.
        while let Some(&byte) = self.source.fill_buf()?.first() {
            if !byte.is_ascii_whitespace() {
                break;
            }
            self.source.consume(1);
        }
        if self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        match self.take(2)? {
            [0xff, 0xd8] => self.jpeg()?,
            [0x89, b'P'] => self.png()?,
            [b'G', b'I'] => self.gif()?,
            [b'B', b'M'] => self.sized(4, 0)?,
            [b'R', b'I'] => {
                self.take(2)?;
                // RIFF counts the bytes after the length field and pads to an even length.
                self.sized(4, 8)?;
            }
            [b'P', b'4'..=b'6'] => self.pnm()?,
            [b'P', b'7'] => self.pam()?,
            _ => {
                let more = self.source.fill_buf()?;
                let begin = more[..more.len().min(6)].to_vec();
                return Err(Flaw::Unknown([&self.bytes[..], &begin].concat()));
            }
        }
        Ok(true)
    }

    /// Reads the next `count` bytes.
    fn take(&mut self, count: usize) -> Result<&[u8], Flaw> {
        let before = self.bytes.len();
        if before.saturating_add(count) as u64 > MAX_FILE_BYTES {
            return Err(Flaw::TooLarge);
        }
        // Memory grows with the bytes that arrive, so a claimed length alone takes no memory.
        let mut left = count;
        while left > 0 {
            let ready = self.source.fill_buf()?;
            if ready.is_empty() {
                return Err(Flaw::Cut);
            }
            let some = ready.len().min(left);
            self.bytes.extend_from_slice(&ready[..some]);
            self.source.consume(some);
            left -= some;
        }
        Ok(&self.bytes[before..])
    }

    fn byte(&mut self) -> Result<u8, Flaw> {
        Ok(self.take(1)?[0])
    }

    /// Reads segments by their lengths, and coded data up to the next marker, until the end of the image (ISO 10918-1,
    /// B.1).
    fn jpeg(&mut self) -> Result<(), Flaw> {
        let mut byte = self.byte()?;
        loop {
            if byte != 0xff {
                return Err(Flaw::Broken("JPEG"));
            }
            // Any number of fill bytes.
            let mut marker = self.byte()?;
            while marker == 0xff {
                marker = self.byte()?;
            }
            match marker {
                0xd9 => return Ok(()),
                0x01 | 0xd0..=0xd7 => {}
                0x00 | 0xd8 => return Err(Flaw::Broken("JPEG")),
                _ => self.segment()?,
            }
            byte = if marker == 0xda {
                self.scan()?
            } else {
                self.byte()?
            };
        }
    }

    /// Reads a JPEG segment after its marker.
    fn segment(&mut self) -> Result<(), Flaw> {
        let length = self.take(2)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        self.take(length.checked_sub(2).ok_or(Flaw::Broken("JPEG"))?)?;
        Ok(())
    }

    /// Reads coded data of a JPEG, up to the 0xff of the next marker.
    fn scan(&mut self) -> Result<u8, Flaw> {
        loop {
            while self.byte()? != 0xff {}
            let next = *self.source.fill_buf()?.first().ok_or(Flaw::Cut)?;
            if next != 0 && !matches!(next, 0xd0..=0xd7) {
                return Ok(0xff);
            }
            self.byte()?;
        }
    }

    /// Reads chunks by their lengths, until IEND (PNG, third edition, 5.3).
    fn png(&mut self) -> Result<(), Flaw> {
        if self.take(6)? != b"NG\r\n\x1a\n" {
            return Err(Flaw::Broken("PNG"));
        }
        loop {
            let head = self.take(8)?;
            let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
            let is_end = &head[4..] == b"IEND";
            self.take(usize::try_from(length).map_err(|_| Flaw::TooLarge)?)?;
            self.take(4)?;
            if is_end {
                return Ok(());
            }
        }
    }

    /// Reads the logical screen descriptor and the colour table, then blocks until the trailer (GIF89a specification,
    /// 15 to 27).
    fn gif(&mut self) -> Result<(), Flaw> {
        let head = self.take(4 + 7)?;
        if &head[..2] != b"F8" || head[3] != b'a' {
            return Err(Flaw::Broken("GIF"));
        }
        let packed = head[8];
        self.colour_table(packed)?;
        loop {
            match self.byte()? {
                // An image: descriptor, local colour table and LZW minimum code size.
                b',' => {
                    let packed = self.take(9)?[8];
                    self.colour_table(packed)?;
                    self.byte()?;
                }
                // An extension and its label.
                b'!' => drop(self.byte()?),
                b';' => return Ok(()),
                _ => return Err(Flaw::Broken("GIF")),
            }
            loop {
                match self.byte()? {
                    0 => break,
                    length => drop(self.take(length.into())?),
                }
            }
        }
    }

    /// Reads a colour table of a GIF if the flags `packed` declare one; three bytes per colour.
    fn colour_table(&mut self, packed: u8) -> Result<(), Flaw> {
        if packed & 0x80 != 0 {
            self.take(3 << ((packed & 7) + 1))?;
        }
        Ok(())
    }

    /// Reads a little-endian length of `width` bytes and then the rest of the image. With `beyond` 0 the length is the
    /// total size; otherwise it excludes the first `beyond` bytes.
    fn sized(&mut self, width: usize, beyond: u64) -> Result<(), Flaw> {
        let format = if beyond == 0 { "BMP" } else { "WebP" };
        let mut length = 0_u64;
        for (i, &byte) in self.take(width)?.iter().enumerate() {
            length |= u64::from(byte) << (8 * i);
        }
        let total = beyond + length + if beyond > 0 { length % 2 } else { 0 };
        let left = total.checked_sub(self.bytes.len() as u64);
        let left = left.ok_or(Flaw::Broken(format))?;
        self.take(usize::try_from(left).map_err(|_| Flaw::TooLarge)?)?;
        Ok(())
    }

    /// Reads width, height and largest value as text, then the rows.
    fn pnm(&mut self) -> Result<(), Flaw> {
        let kind = self.bytes[1];
        let [width, height] = [self.number()?, self.number()?];
        let row = match kind {
            b'4' => width.div_ceil(8),
            _ => {
                let greatest = self.number()?;
                let channels = if kind == b'6' { 3 } else { 1 };
                let bytes = if greatest > 255 { 2 } else { 1 };
                width.checked_mul(channels * bytes).ok_or(Flaw::TooLarge)?
            }
        };
        let rows = row.checked_mul(height).ok_or(Flaw::TooLarge)?;
        self.take(usize::try_from(rows).map_err(|_| Flaw::TooLarge)?)?;
        Ok(())
    }

    /// Reads lines with a name and a number until ENDHDR, then the rows.
    fn pam(&mut self) -> Result<(), Flaw> {
        let broken = || Flaw::Broken("PNM");
        // Width, height, depth, largest value.
        let mut told = [None; 4];
        loop {
            let begin = self.bytes.len();
            while self.byte()? != b'\n' {}
            let line = str::from_utf8(&self.bytes[begin..]).map_err(|_| broken())?;
            let (name, value) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            let names = ["WIDTH", "HEIGHT", "DEPTH", "MAXVAL"];
            if name == "ENDHDR" {
                break;
            } else if let Some(which) = names.iter().position(|n| *n == name) {
                told[which] = Some(value.trim().parse::<u64>().map_err(|_| broken())?);
            }
        }
        let [Some(width), Some(height), Some(depth), Some(greatest)] = told else {
            return Err(broken());
        };
        let bytes = if greatest > 255 { 2 } else { 1 };
        let size = [height, depth, bytes]
            .into_iter()
            .try_fold(width, u64::checked_mul);
        let size = size.and_then(|size| usize::try_from(size).ok());
        self.take(size.ok_or(Flaw::TooLarge)?)?;
        Ok(())
    }

    /// Reads a number of a PNM header and the single character after it.
    fn number(&mut self) -> Result<u64, Flaw> {
        let broken = || Flaw::Broken("PNM");
        let mut byte = self.byte()?;
        while byte.is_ascii_whitespace() || byte == b'#' {
            if byte == b'#' {
                while self.byte()? != b'\n' {}
            }
            byte = self.byte()?;
        }
        let mut number = 0_u64;
        while byte.is_ascii_digit() {
            number = number
                .checked_mul(10)
                .and_then(|n| n.checked_add(u64::from(byte - b'0')))
                .ok_or_else(broken)?;
            byte = self.byte()?;
        }
        if byte.is_ascii_whitespace() {
            Ok(number)
        } else {
            Err(broken())
        }
    }
}

#[cfg(test)]
mod tests;
