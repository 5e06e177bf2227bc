//! Where passphrases come from: a file, the environment, or a prompt on the terminal.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};

/// Fewest characters of a new passphrase.
pub const MIN_CHARS: usize = 8;
/// Most bytes of a passphrase.
const MAX_BYTES: u64 = 1_024;

/// A passphrase. Wiped when it is dropped, and not shown by `Debug`.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase of at least one and at most 1 024 bytes.
    pub fn new(text: String) -> Result<Self, Failure> {
        let text = Zeroizing::new(text);
        if text.is_empty() {
            return Err(Failure::new(Kind::Passphrase, "the passphrase is empty")
                .hint("leave the variable or file out to be asked on the terminal"));
        }
        if text.len() as u64 > MAX_BYTES {
            let message = format_args!("the passphrase is longer than {MAX_BYTES} bytes");
            return Err(Failure::new(Kind::Passphrase, message).hint("choose a shorter one"));
        }
        Ok(Passphrase(text))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Refuses one that is too short to protect a key.
    fn strong_enough(self) -> Result<Self, Failure> {
        if self.0.chars().count() >= MIN_CHARS {
            return Ok(self);
        }
        let message = format_args!("the passphrase has fewer than {MIN_CHARS} characters");
        Err(Failure::new(Kind::Passphrase, message).hint("several unrelated words make a good one"))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// Where one passphrase is looked for: the file, then the variable, then the terminal.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file given by option or environment.
    pub file: Option<PathBuf>,
    /// The environment variable that may hold the passphrase itself.
    pub variable: &'static str,
    /// The option that names the file, for the hint.
    pub option: &'static str,
}

impl Source {
    /// The passphrase of something that exists; `what` completes "passphrase of".
    pub fn ask(&self, what: &dyn fmt::Display) -> Result<Passphrase, Failure> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => prompt(&format!("passphrase of {what}: ")),
        }
    }

    /// A passphrase chosen now: typed twice on a terminal, and not too short.
    pub fn choose(&self, what: &dyn fmt::Display) -> Result<Passphrase, Failure> {
        if let Some(passphrase) = self.given()? {
            return passphrase.strong_enough();
        }
        self.need_terminal()?;
        let first = prompt(&format!("new passphrase of {what}: "))?.strong_enough()?;
        let second = prompt("the same again: ")?;
        if first.as_bytes() != second.as_bytes() {
            return Err(Failure::new(Kind::Passphrase, "the two passphrases differ")
                .hint("nothing was written; run the command again"));
        }
        Ok(first)
    }

    fn given(&self) -> Result<Option<Passphrase>, Failure> {
        if let Some(path) = &self.file {
            return read_file(path).map(Some);
        }
        match std::env::var(self.variable) {
            Ok(text) => Passphrase::new(text).map(Some),
            Err(std::env::VarError::NotPresent) => self.need_terminal().map(|()| None),
            Err(std::env::VarError::NotUnicode(_)) => {
                let message = format_args!("the variable {} is not UTF-8", self.variable);
                Err(Failure::new(Kind::Passphrase, message))
            }
        }
    }

    fn need_terminal(&self) -> Result<(), Failure> {
        if io::stdin().is_terminal() {
            return Ok(());
        }
        let message = "a passphrase is needed and there is no terminal to ask on";
        let hint = format!("pass {} FILE or set {}", self.option, self.variable);
        Err(Failure::new(Kind::Passphrase, message).hint(hint))
    }
}

/// Reads a passphrase from a file: its text without one final line break.
fn read_file(path: &Path) -> Result<Passphrase, Failure> {
    let failed = |error: io::Error| Failure::io("read the passphrase file", path, &error);
    let mut text = Zeroizing::new(String::with_capacity(MAX_BYTES as usize + 3));
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_BYTES + 3).read_to_string(&mut text).map_err(failed)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Passphrase::new(line.strip_suffix('\r').unwrap_or(line).to_string())
        .map_err(|failure| failure.hint(format_args!("see the file {}", path.display())))
}

fn prompt(text: &str) -> Result<Passphrase, Failure> {
    let typed = rpassword::prompt_password(text).map_err(|error| {
        Failure::new(Kind::Passphrase, format_args!("cannot read the passphrase: {error}"))
    })?;
    Passphrase::new(typed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(bytes: &[u8]) -> Result<Passphrase, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read_file(file.path())
    }

    #[test]
    fn one_final_line_break_is_not_part_of_the_passphrase() {
        for bytes in [b"two words".as_slice(), b"two words\n", b"two words\r\n"] {
            assert_eq!(from_file(bytes).unwrap().as_bytes(), b"two words");
        }
        assert_eq!(from_file(b" two\n\n").unwrap().as_bytes(), b" two\n");
    }

    #[test]
    fn empty_and_endless_passphrases_are_refused() {
        for bytes in [Vec::new(), b"\n".to_vec(), vec![b'x'; 1_025], vec![b'x'; 100_000]] {
            assert_eq!(from_file(&bytes).unwrap_err().kind(), Kind::Passphrase);
        }
        assert_eq!(from_file(&[b'x'; 1_024]).unwrap().as_bytes().len(), 1_024);
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = read_file(Path::new("/nowhere/passphrase")).unwrap_err();
        assert_eq!(failure.kind(), Kind::NotFound);
        assert!(failure.message().contains("/nowhere/passphrase"), "{failure}");
    }

    #[test]
    fn a_new_passphrase_has_eight_characters() {
        let strong = |text: &str| Passphrase::new(text.into()).unwrap().strong_enough().is_ok();
        assert!(strong("12345678") && !strong("1234567"));
        assert!(strong("病历病历病历病历") && !strong("病历病"));
    }

    #[test]
    fn debug_does_not_show_it() {
        let passphrase = Passphrase::new("two words".into()).unwrap();
        assert_eq!(format!("{passphrase:?}"), "Passphrase(…)");
    }
}
