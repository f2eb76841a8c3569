//! Files to bytes: compression taken off, progress counted.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    Plain,
    Gzip,
    Zstd,
}

impl Codec {
    /// What the end of a file's name says.
    pub fn of_name(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("gz") => Self::Gzip,
            Some(extension) if extension.eq_ignore_ascii_case("zst") => Self::Zstd,
            _ => Self::Plain,
        }
    }

    /// What the first bytes of a stream show.
    pub fn of(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// The bytes that were compressed.
pub fn decode<'a>(codec: Codec, from: impl Read + Send + 'a) -> Box<dyn Read + Send + 'a> {
    let buffered = |from| BufReader::with_capacity(1 << 15, from);
    match codec {
        Codec::Plain => Box::new(from),
        Codec::Gzip => Box::new(MultiGzDecoder::new(buffered(from))),
        Codec::Zstd => Box::new(ZstdDecoder { from: buffered(from), frame: FrameDecoder::new(), is_inside: false }),
    }
}

/// Reads zstd frames one after the other, as `cat` and parallel compressors put them together, and checks their checksums.
struct ZstdDecoder<R> {
    from: BufReader<R>,
    frame: FrameDecoder,
    is_inside: bool,
}

impl<R: Read> ZstdDecoder<R> {
    /// Whether there is a frame.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.from.fill_buf()?.is_empty() {
            match self.frame.init(&mut self.from) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.from).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(damaged(error)),
            }
        }
        Ok(false)
    }
}

fn damaged(error: FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<R: Read> Read for ZstdDecoder<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_inside && !self.begin()? {
                return Ok(0);
            }
            self.is_inside = true;
            while self.frame.can_collect() == 0 && !self.frame.is_finished() {
                self.frame.decode_blocks(&mut self.from, BlockDecodingStrategy::UptoBlocks(1)).map_err(damaged)?;
            }
            let read = self.frame.read(to)?;
            if read > 0 || to.is_empty() {
                return Ok(read);
            }
            let (written, seen) = (self.frame.get_checksum_from_data(), self.frame.get_calculated_checksum());
            if written.is_some() && written != seen {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "wrong checksum"));
            }
            self.is_inside = false;
        }
    }
}

/// Why bytes could not be read, and what to do about it.
pub fn unreadable(error: &io::Error) -> String {
    use io::ErrorKind::{InvalidData, InvalidInput, NotFound, PermissionDenied, UnexpectedEof, Unsupported};
    match error.kind() {
        NotFound => format!("cannot be read, {error}: check the path"),
        PermissionDenied => format!("cannot be read, {error}: allow reading it or leave it out"),
        UnexpectedEof => format!("the compressed file ends too early, {error}: get it again or leave it out"),
        InvalidData | InvalidInput => {
            format!("the compressed file is damaged, {error}: get it again or leave it out")
        }
        Unsupported => "this dedup was built without Parquet: build it with --features parquet".into(),
        _ => format!("cannot be read, {error}: check the file or leave it out"),
    }
}
