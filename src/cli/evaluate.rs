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

use super::utf8_input::in_utf_8;
use buffers::Buffers;
pub(crate) use input::Input;
use line::{Chunk, Lines};
pub(crate) use output::{ErrorOutput, Output};
use quick::Caches;

/// What the command is for, before its options.
pub(super) const ABOUT: &str = "\
Decide cases given as JSON lines, one answer a line, in the order of the input.

Each case is one call of KMS: a key policy, a principal and an action. Nothing is asked of AWS.";

/// The input and the output of the command, behind its options.
pub(super) const HELP: &str = r#"Each line of the input is one JSON object:
  keyArn                  the key's ARN
  keyPolicy               its policy; like every policy here an object, or its text
  principal               the ARN of the role, user or session that calls
  action                  the call: kms:GenerateDataKey, kms:Decrypt, …
  id                      any text or number, which the answer repeats (optional, like all that follow)
  context                 condition keys that the call has: {"aws:SourceIp": "10.0.0.1"}; a list for several values
  absent                  names of condition keys that the call does not have
  otherContext            all other condition keys: "unknown" (the default) or "absent"
  identityPolicies        all policies of the principal; [] if it has none; without it they are unknown
  permissionsBoundary     its boundary
  sessionPolicies         the policies of its session
  serviceControlPolicies  a list of policies for each level, from the root of the organization down
  resourceControlPolicies likewise
  grants                  the key's grants, as `aws kms list-grants` prints them

Each line of the output is one JSON object:
  id          that of the case
  decision    "allowed", "denied", or "depends" on condition keys or policies that are not known
  explicit    whether a Deny decided
  statements  the statements that decided: policy, index (from 0), sid
  dependsOn   what the decision depends on
  allowedIf   cases each of which is enough for "allowed", as values of these condition keys
  missing     what is missing, if nothing allows the call
  warnings    what is wrong with the policies
  error       in the place of all but id: why the line could not be read

Try it:
  echo '{"keyArn":"arn:aws:kms:eu-west-1:111122223333:key/1","principal":"arn:aws:iam::111122223333:role/App","action":"kms:Decrypt","keyPolicy":{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/App"},"Action":"kms:*","Resource":"*"}]},"identityPolicies":[]}' | session-kms evaluate

Exit codes: 0 every line was answered; 2 a line could not be read, which its answer says in `error`, and all others were answered, or the input or output failed."#;

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
    let mut lines = Lines::new(in_utf_8(input)?);
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
