//! The streams that a command reads and writes: those of the process, or those of a test.

use std::cell::RefCell;
use std::fmt;
use std::io::{BufRead, ErrorKind, Write};

use super::error::CliError;

/// The streams of a command, and the time.
pub struct Console<'a> {
    /// The answer to a question, or the cases of `evaluate`.
    pub input: &'a mut (dyn BufRead + Send),
    /// Takes reports and answers.
    pub out: &'a mut dyn Write,
    /// Takes errors, questions and progress.
    pub err: &'a mut dyn Write,
    /// Whether somebody can be asked: input and errors are a terminal.
    pub interactive: bool,
    /// Whether errors go to a terminal, where somebody sees the progress of an audit.
    pub watched: bool,
    /// Whether reports may have colour.
    pub colour: bool,
    /// When the command was started, as RFC 3339 writes it: the date of its report.
    pub started: String,
}

impl Console<'_> {
    /// Writes to the output. It is no error that the reader of a pipe has closed it, as `head` does.
    pub(super) fn write(&mut self, text: &str) -> Result<(), CliError> {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Output(error)),
            _ => Ok(()),
        }
    }

    /// Writes a report that writes itself. It is no error that the reader of a pipe has closed it.
    pub(super) fn write_with(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), CliError> {
        let written = write(self.out).and_then(|()| self.out.flush());
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Output(error)),
            _ => Ok(()),
        }
    }

    /// A function that shows progress to somebody at the terminal.
    pub(super) fn progress(&mut self) -> impl Fn(&str) {
        let interactive = self.interactive;
        let err = RefCell::new(&mut self.err);
        move |step| {
            if let (true, Ok(mut err)) = (interactive, err.try_borrow_mut()) {
                // The command goes on even if nobody sees its progress.
                let _ = writeln!(err, "… {step}");
            }
        }
    }

    /// Shows a text and asks a question. Every answer but yes is a no.
    pub(super) fn confirm(&mut self, shown: &str, question: &str) -> Result<(), CliError> {
        if !self.interactive {
            return Err(CliError::NobodyToAsk);
        }
        write!(self.err, "{shown}\n{question} [y/N] ")
            .and_then(|()| self.err.flush())
            .map_err(CliError::Output)?;
        let mut line = String::new();
        self.input.read_line(&mut line).map_err(CliError::Input)?;
        if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            Ok(())
        } else {
            Err(CliError::NotConfirmed)
        }
    }
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("interactive", &self.interactive)
            .field("colour", &self.colour)
            .finish_non_exhaustive()
    }
}
