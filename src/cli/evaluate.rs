//! `evaluate`: decides cases given as JSON lines, and writes one answer a line in the order of the input.
//!
//! One thread reads, and gives chunks of whole lines to the workers in turn. Each worker answers its own chunks, and the
//! writer collects the answers in the same turn. So the answers have the order of the cases without a buffer that could
//! grow, and only a few chunks a worker are in memory. A chunk is what the input has ready, so a program that writes one
//! line and waits gets its answer at once.
//!
//! A worker uses the quick reader of cases (`quick`), which knows the policies that came before (`cache`). The strict
//! reader (`case`) reads every case that the quick one gives up on, and it alone reports errors.

mod buffers;
mod cache;
mod case;
mod input;
mod line;
mod output;
mod policies;
mod quick;
mod scan;

#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use buffers::Buffers;
use line::{Chunk, Lines};
use quick::Caches;

/// How many chunks may wait for each worker, and how many answers of each worker may wait for the writer.
const WAITING: usize = 4;

/// How many lines a run read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines that were answered.
    pub answered: u64,
    /// Lines that could not be read.
    pub failed: u64,
}

/// The answers to a chunk.
struct Answers {
    text: Vec<u8>,
    summary: Summary,
}

/// Answers every line of `input` on `output`, with `workers` threads (at least one).
///
/// An empty line has no answer. The answer to a line that cannot be read is `{"id":…,"error":"…"}`.
///
/// # Errors
/// The error of a read or a write. If a read fails, all lines before it have been answered.
pub fn run(input: impl BufRead + Send, mut output: impl Write, workers: usize) -> io::Result<Summary> {
    let workers = workers.max(1);
    // One for each chunk and each answer that can exist at once.
    let buffers = &Buffers::new(2 * workers * (WAITING + 1));
    std::thread::scope(|scope| {
        let mut to_workers = Vec::new();
        let mut from_workers = Vec::new();
        for _ in 0..workers {
            let (chunk_sender, chunks) = sync_channel::<Chunk>(WAITING);
            let (answer_sender, answers) = sync_channel::<Answers>(WAITING);
            to_workers.push(chunk_sender);
            from_workers.push(answers);
            scope.spawn(move || work(&chunks, &answer_sender, buffers));
        }
        let reader = scope.spawn(move || read(input, &to_workers, buffers));
        let written = write(&from_workers, &mut output, buffers);
        // The workers end if nobody takes their answers, and then the reader ends too.
        drop(from_workers);
        let read = reader.join().unwrap_or_else(|_| Err(io::Error::other("reading the cases failed")));
        let summary = written?;
        read?;
        Ok(summary)
    })
}

/// Gives the chunks to the workers in turn, until the input ends or a worker has ended.
fn read(input: impl BufRead, workers: &[SyncSender<Chunk>], buffers: &Buffers) -> io::Result<()> {
    let mut lines = Lines::new(input);
    for worker in workers.iter().cycle() {
        let Some(chunk) = lines.next_chunk(buffers)? else { break };
        if worker.send(chunk).is_err() {
            break;
        }
    }
    Ok(())
}

fn work(chunks: &Receiver<Chunk>, answers: &SyncSender<Answers>, buffers: &Buffers) {
    let mut caches = Caches::new();
    for chunk in chunks {
        let mut text = buffers.take();
        let mut summary = Summary::default();
        for line in chunk.lines() {
            if case::answer(line, &mut caches, &mut text) {
                summary.answered += 1;
            } else {
                summary.failed += 1;
            }
        }
        buffers.give(chunk.into_bytes());
        if answers.send(Answers { text, summary }).is_err() {
            return;
        }
    }
}

/// Writes the answers in the turn in which the workers got the chunks.
fn write(workers: &[Receiver<Answers>], output: &mut impl Write, buffers: &Buffers) -> io::Result<Summary> {
    let mut total = Summary::default();
    for worker in workers.iter().cycle() {
        let answers = match worker.try_recv() {
            Ok(answers) => answers,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                // A program may wait for these answers before it writes the next case.
                output.flush()?;
                match worker.recv() {
                    Ok(answers) => answers,
                    Err(_) => break,
                }
            }
        };
        output.write_all(&answers.text)?;
        buffers.give(answers.text);
        total.answered += answers.summary.answered;
        total.failed += answers.summary.failed;
    }
    output.flush()?;
    Ok(total)
}
