//! Files to bytes: compression taken off, encodings turned into UTF-8, progress counted.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use flate2::bufread::GzDecoder;
use indicatif::DecimalBytes;
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

    /// What the first bytes show, or where they show nothing the name: programs that fetch files pack and unpack them and leave the
    /// names as they were. An error names what is not read.
    fn of_content(self, first: &[u8]) -> io::Result<Self> {
        // Where each mark stands.
        const UNREAD: [(usize, &[u8], &str, &str); 11] = [
            (0, b"\xfd7zXZ\0", "xz", UNPACK),
            (0, b"BZh", "bzip2", UNPACK),
            (0, b"PK\x03\x04", "zip", UNPACK),
            (0, b"7z\xbc\xaf\x27\x1c", "7z", UNPACK),
            (0, b"\x04\x22\x4d\x18", "lz4", UNPACK),
            (TAR, b"\0ustar", "tar", UNPACK),
            (0, b"%PDF-", "PDF", "make text of it first, for example with pdftotext"),
            (0, b"PAR1\x15", "Parquet", "give it as a file that is named .parquet"),
            (0, b"SQLite format 3\0", "SQLite", FROM_SQLITE),
            (0, b"Obj\x01", "Avro", AS_LINES),
            (0, b"ARROW1\0\0", "Arrow", AS_LINES),
        ];
        let is_unread = |at: usize, mark: &[u8], what: &str| match what {
            // These letters can begin a text, but not with a size and the digits of pi behind them.
            "bzip2" => first.starts_with(mark) && first.get(4..10) == Some(b"1AY&SY"),
            _ => first.get(at..).is_some_and(|rest| rest.starts_with(mark)),
        };
        if let Some((.., what, remedy)) = UNREAD.into_iter().find(|&(at, mark, what, _)| is_unread(at, mark, what)) {
            return Err(told(format!("looks like {what}, which is not read as it is: {remedy}")));
        }
        Ok(match first {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // A frame of data, or one to be skipped before it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ if is_text(&first[..first.len().min(TEXT)]) => Self::Plain,
            _ => self,
        })
    }
}

/// What makes files readable that are not read as they are.
pub const UNPACK: &str = "unpack it first";
pub const AS_LINES: &str = "write its records as .jsonl first";
pub const FROM_SQLITE: &str = "write its articles as .json first, for example with sqlite3 -json";

/// Where the mark of a tar file stands, and how many bytes tell whether a file is one of text.
const TAR: usize = 256;
const TEXT: usize = 16;

/// Whether a file that begins so is one of text, as none that is compressed is.
fn is_text(first: &[u8]) -> bool {
    let is_valid = std::str::from_utf8(first).map_or_else(|error| error.error_len().is_none(), |_| true);
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    Encoding::for_bom(first).is_some() || !first.is_empty() && is_valid && !first.iter().any(is_control)
}

/// How bytes are compressed, by their first ones and the name, and the bytes.
pub fn look_into<'a>(by_name: Codec, from: impl Read + Send + 'a) -> io::Result<(Codec, impl Read + Send + 'a)> {
    const LOOKED_AT: u64 = TAR as u64 + 6;
    let (first, from) = beginning(from, LOOKED_AT)?;
    Ok((by_name.of_content(&first)?, io::Cursor::new(first).chain(from)))
}

/// The first bytes, fewer only if there are no more, and what comes after them: that may be an error.
fn beginning<'a>(mut from: impl Read + Send + 'a, most: u64) -> io::Result<(Vec<u8>, Box<dyn Read + Send + 'a>)> {
    let mut first = Vec::new();
    // A pipe may hand on fewer at first.
    match from.by_ref().take(most).read_to_end(&mut first) {
        Ok(_) => Ok((first, Box::new(from))),
        Err(error) if first.is_empty() => Err(error),
        Err(error) => Ok((first, Box::new(Failing(Some(error))))),
    }
}

/// What nothing more can be read of.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The bytes that were compressed.
pub fn decode<'a>(codec: Codec, from: impl Read + Send + 'a) -> Box<dyn Read + Send + 'a> {
    let buffered = |from| BufReader::with_capacity(1 << 15, from);
    match codec {
        Codec::Plain => Box::new(from),
        Codec::Gzip => Box::new(GzipDecoder::Between { from: buffered(from), is_first: true }),
        Codec::Zstd => {
            Box::new(ZstdDecoder { from: buffered(from), frame: FrameDecoder::new(), is_inside: false, is_first: true })
        }
    }
}

/// What was unpacked, unless that is compressed in turn.
pub fn unpacked<'a>(from: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    match look_into(Codec::Plain, from)? {
        (Codec::Plain, from) => Ok(Box::new(from)),
        (Codec::Gzip | Codec::Zstd, _) => Err(told("is compressed twice: unpack it once".into())),
    }
}

/// What is said of bytes after the compressed ones, which may belong to another file, or be damage.
fn other_bytes(codec: &str) -> io::Error {
    told(format!("bytes that are no {codec} follow those that are: get it again, or cut them off"))
}

/// Reads gzip members one after the other, and zeros after the last one, with which tapes and disks are filled up.
enum GzipDecoder<R> {
    Between { from: BufReader<R>, is_first: bool },
    Inside(Box<GzDecoder<BufReader<R>>>),
    End,
}

impl<R: Read> GzipDecoder<R> {
    /// Begins the next member, if there is one.
    fn begin(&mut self) -> io::Result<()> {
        if matches!(self, Self::Inside(_)) {
            return Ok(());
        }
        const MARK: u8 = 0x1f;
        let Self::Between { mut from, is_first } = std::mem::replace(self, Self::End) else { return Ok(()) };
        while let Some(&first) = from.fill_buf()?.first() {
            if first != 0 {
                if first != MARK && !is_first {
                    return Err(other_bytes("gzip"));
                }
                *self = Self::Inside(Box::new(GzDecoder::new(from)));
                return Ok(());
            }
            let zeros = from.buffer().iter().take_while(|&&byte| byte == 0).count();
            from.consume(zeros);
        }
        Ok(())
    }
}

impl<R: Read> Read for GzipDecoder<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        loop {
            self.begin()?;
            let Self::Inside(member) = self else { return Ok(0) };
            let read = member.read(to)?;
            if read > 0 {
                return Ok(read);
            }
            if let Self::Inside(member) = std::mem::replace(self, Self::End) {
                *self = Self::Between { from: member.into_inner(), is_first: false };
            }
        }
    }
}

/// Reads zstd frames one after the other, as `cat` and parallel compressors put them together, and checks their checksums.
struct ZstdDecoder<R> {
    from: BufReader<R>,
    frame: FrameDecoder,
    is_inside: bool,
    /// Whether nothing was unpacked before.
    is_first: bool,
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
                    self.is_first = false;
                }
                Err(FrameDecoderError::ReadFrameHeaderError(
                    ReadFrameHeaderError::BadMagicNumber(_) | ReadFrameHeaderError::MagicNumberReadError(_),
                )) if !self.is_first => return Err(other_bytes("zstd")),
                Err(error) => return Err(damaged(error)),
            }
        }
        Ok(false)
    }
}

fn damaged(error: FrameDecoderError) -> io::Error {
    match error {
        FrameDecoderError::WindowSizeTooBig { requested, max } => {
            let (window, max) = (DecimalBytes(requested), DecimalBytes(max));
            let long = requested.next_power_of_two().ilog2();
            told(format!(
                "its zstd window of {window} is larger than the {max} that are read: unpack it with zstd -d --long={long}"
            ))
        }
        FrameDecoderError::DictNotProvided { .. } => told(
            "was compressed with a dictionary, and none is read: unpack it with zstd -d -D and the file of the dictionary"
                .into(),
        ),
        error if ends_too_early(&error) => io::ErrorKind::UnexpectedEof.into(),
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

/// Whether an error comes of another that says that there is no more to read.
fn ends_too_early(error: &(dyn std::error::Error + 'static)) -> bool {
    let is_end = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    error.downcast_ref().is_some_and(is_end) || error.source().is_some_and(ends_too_early)
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
            self.is_first = false;
            let (written, seen) = (self.frame.get_checksum_from_data(), self.frame.get_calculated_checksum());
            if written.is_some() && written != seen {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "wrong checksum"));
            }
            self.is_inside = false;
        }
    }
}

/// Says no to more bytes than an archive may unpack to, which may grow as more of it comes.
pub struct Limited<R, A> {
    from: R,
    seen: u64,
    allowed: A,
}

impl<R, A: Fn() -> u64> Limited<R, A> {
    pub fn new(from: R, allowed: A) -> Self {
        Self { from, seen: 0, allowed }
    }
}

impl<R: Read, A: Fn() -> u64> Read for Limited<R, A> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(to)?;
        self.seen += read as u64;
        let allowed = (self.allowed)();
        if self.seen > allowed { Err(too_large(allowed)) } else { Ok(read) }
    }
}

pub fn too_large(allowed: u64) -> io::Error {
    let allowed = DecimalBytes(allowed);
    told(format!(
        "unpacks to more than the {allowed} that are allowed: leave it out, or allow more with --unpack-limit"
    ))
}

/// Counts the bytes that are read.
pub struct Counted<R> {
    pub from: R,
    pub count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(to)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs readers of other crates on bytes that nobody vouches for: should one panic, the input counts as damaged and the rest
/// goes on.
pub fn guarded<T>(read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_GUARDED.get() {
                usual(info);
            }
        }));
    });
    let before = IS_GUARDED.replace(true);
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.set(before);
    read.unwrap_or_else(|_| Err(told("is damaged: get it again or leave it out".into())))
}

/// The encoding of that name.
pub fn encoding(name: &str) -> Result<&'static Encoding, String> {
    let known = Encoding::for_label_no_replacement(name.as_bytes());
    known.ok_or_else(|| {
        "give utf-8, utf-16le, windows-1252, latin1 or another name of the WHATWG Encoding Standard".into()
    })
}

/// The text as UTF-8. A mark at its beginning says what it is; without one it is in the encoding that is given, or UTF-8.
/// UTF-8 stays as it is, valid or not.
pub fn recode<'a>(
    from: impl Read + Send + 'a,
    given: Option<&'static Encoding>,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    const LOOKED_AT: u64 = 256;
    let (mut first, from) = beginning(from, LOOKED_AT)?;
    let (marked, mark) = Encoding::for_bom(&first).unzip();
    let is_marked_utf_32 = first.starts_with(b"\xff\xfe\0\0") || first.starts_with(b"\0\0\xfe\xff");
    if is_marked_utf_32 || is_utf_32(&first) {
        return Err(told("looks like UTF-32, which is not read: convert it to UTF-8".into()));
    }
    let known = marked.or(given);
    if let (None, Some(likely)) = (known, without_mark(&first)) {
        let name = likely.name();
        return Err(told(format!("looks like {name} without a mark: name its encoding with --encoding {name}")));
    }
    let encoding = known.unwrap_or(UTF_8);
    if encoding == UTF_8 {
        return Ok(Box::new(io::Cursor::new(first).chain(from)));
    }
    first.drain(..mark.unwrap_or(0));
    let decoder = encoding.new_decoder_without_bom_handling();
    let (input, text) = (Vec::new(), Vec::new());
    let from = io::Cursor::new(first).chain(from);
    let seen = mark.unwrap_or(0) as u64;
    Ok(Box::new(Recoded { from, decoder, input, text, at: 0, is_end: false, seen, failure: None }))
}

/// UTF-16 without a mark, as far as plain letters, spaces and line ends give it away: half of each is a zero, which no text of another
/// encoding has.
fn without_mark(first: &[u8]) -> Option<&'static Encoding> {
    /// In any alphabet one character in so many is a space or a line end.
    const PLAIN: usize = 16;
    let (pairs, _) = first.as_chunks::<2>();
    let zeros = |half: usize| pairs.iter().filter(|pair| pair[half] == 0).count();
    // Of other alphabets something is no UTF-8, or many bytes are control characters. Where not, zeros that strayed into text are no reason.
    let is_valid = std::str::from_utf8(first).map_or_else(|error| error.error_len().is_none(), |_| true);
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, 0 | b'\t' | b'\n' | b'\r');
    let is_plain = is_valid && 8 * first.iter().filter(|byte| is_control(byte)).count() < pairs.len();
    let enough = (pairs.len() / if is_plain { 2 } else { PLAIN }).max(2);
    // Here and there another character has a zero in the half that tells letters apart.
    let is_high = |high: usize, low: usize| high >= enough && 8 * low <= high;
    match (zeros(0), zeros(1)) {
        (low, high) if is_high(high, low) => Some(UTF_16LE),
        (high, low) if is_high(high, low) => Some(UTF_16BE),
        _ => None,
    }
}

/// Four bytes a character, of which two are zero.
fn is_utf_32(first: &[u8]) -> bool {
    let (fours, _) = first.as_chunks::<4>();
    let all = |suits: fn(&[u8; 4]) -> bool| fours.len() >= 2 && fours.iter().all(suits);
    all(|four| four[2..] == [0, 0] && four[..2] != [0, 0]) || all(|four| four[..2] == [0, 0] && four[2..] != [0, 0])
}

/// Text of another encoding, read as UTF-8.
struct Recoded<R> {
    from: R,
    decoder: encoding_rs::Decoder,
    input: Vec<u8>,
    /// What is decoded, and how much of it is read.
    text: Vec<u8>,
    at: usize,
    is_end: bool,
    /// Bytes of the input that are decoded.
    seen: u64,
    /// What is wrong after all that is decoded.
    failure: Option<io::Error>,
}

impl<R: Read> Read for Recoded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        const PIECE: u64 = 1 << 16;
        while self.at == self.text.len() {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.is_end {
                return Ok(0);
            }
            self.input.clear();
            self.is_end = self.from.by_ref().take(PIECE).read_to_end(&mut self.input)? < PIECE as usize;
            let most = self.decoder.max_utf8_buffer_length_without_replacement(self.input.len());
            self.text.resize(most.unwrap_or(4 * PIECE as usize), 0);
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(&self.input, &mut self.text, self.is_end);
            self.text.truncate(written);
            self.at = 0;
            self.seen += read as u64;
            if let DecoderResult::Malformed(..) = result {
                let (name, is_cut_off) = (self.decoder.encoding().name(), self.is_end && read == self.input.len());
                self.is_end = true;
                self.failure = Some(told(match is_cut_off {
                    true => format!("ends within a character of {name}: get it again or leave it out"),
                    false => format!(
                        "byte {} is not valid {name}: name its encoding with --encoding, or convert it to UTF-8",
                        self.seen
                    ),
                }));
            }
        }
        let read = (&self.text[self.at..]).read(to)?;
        self.at += read;
        Ok(read)
    }
}

/// An error whose message says all that there is to say, with the remedy.
#[derive(Debug)]
struct Told(String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Told {}

pub fn told(message: String) -> io::Error {
    io::Error::other(Told(message))
}

/// The message of such an error.
pub fn told_by(error: &io::Error) -> Option<&str> {
    error.get_ref()?.downcast_ref().map(|Told(message)| &**message)
}

/// Why bytes could not be read, and what to do about it.
pub fn unreadable(error: &io::Error) -> String {
    use io::ErrorKind::{InvalidData, InvalidInput, NotFound, PermissionDenied, UnexpectedEof, Unsupported};
    if let Some(message) = told_by(error) {
        return message.into();
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes through a pipe has no size, and yet no little of it may become very much.
    #[test]
    fn the_limit_grows_with_what_comes() {
        let unpacked = |text: Vec<u8>| {
            let mut packed = flate2::read::GzEncoder::new(&text[..], flate2::Compression::default());
            let mut bytes = Vec::new();
            packed.read_to_end(&mut bytes)?;
            let count = Arc::new(AtomicU64::new(0));
            let from = decode(Codec::Gzip, Counted { from: &bytes[..], count: count.clone() });
            io::copy(&mut Limited::new(from, || 100 * count.load(Ordering::Relaxed)), &mut io::sink())
        };
        let varied = (0..200_000_u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
        assert_eq!(unpacked(varied).unwrap(), 200_000);
        assert!(unreadable(&unpacked(vec![0; 2_000_000]).unwrap_err()).contains("--unpack-limit"));
    }

    #[test]
    fn a_reader_that_panics_is_an_error() {
        let error = guarded::<()>(|| panic!("a fault of another crate")).unwrap_err();
        assert_eq!(unreadable(&error), "is damaged: get it again or leave it out");
        assert_eq!(guarded(|| Ok(1)).unwrap(), 1);
    }
}
