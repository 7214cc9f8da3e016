//! `fix --interactive`: asks about each fix, as `git add -p` does about each hunk.
//!
//! Decides what is made, and makes nothing itself: what is taken goes through the chain and its guard like any other fix.

mod edit;

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anstyle::{AnsiColor, Style};
use anyhow::{Result, bail};

use super::super::changes;
use super::super::inputs::Input;
use super::FixFormat;
use crate::chain::{Choice, Offer};
use crate::render::{BOLD, ERROR, Look, RULE, diff, human, visible_line};

const PROMPT: Style = AnsiColor::Blue.on_default().bold();

const HELP: &str = "\
y - make this fix
n - do not make this fix
q - quit; make neither this fix nor any of those that are left
a - make this fix and all that are left in the file
d - make neither this fix nor any of those that are left in the file
e - change this fix by hand, in an editor
? - print help
";

/// The questions of a run.
pub(super) struct Session {
    look: Look,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The file that was asked about last.
    file: Option<std::path::PathBuf>,
    /// The answer to all questions that are left in it.
    rest: Option<Choice>,
    is_over: bool,
}

impl Session {
    /// # Errors
    /// Where nobody can be asked.
    pub(super) fn start(is_stdin: bool, format: FixFormat, look: Look) -> Result<Self> {
        if is_stdin || format != FixFormat::Text {
            bail!("`--interactive` goes together neither with `-` nor with `--format`");
        }
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            bail!("`--interactive` asks on a terminal: standard input and output must be one");
        }
        Ok(Self {
            look,
            state: Mutex::default(),
        })
    }

    /// What becomes of one fix of `input`, whose build context is `root`.
    pub(super) fn ask(&self, input: &Input, root: Option<&Path>, offer: &Offer<'_>) -> Choice {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.enter(input.path());
        if state.is_over {
            return Choice::Leave;
        }
        if let Some(choice) = &state.rest {
            return choice.clone();
        }
        let asked = self.shown(input, root, offer).and_then(|shown| {
            print(&shown)?;
            self.answer(&mut state, offer)
        });
        // Where the terminal is gone nobody answers: nothing more is made.
        asked.unwrap_or_else(|_| {
            state.is_over = true;
            Choice::Leave
        })
    }

    /// The fix: what it is about, why, and what it changes.
    fn shown(&self, input: &Input, root: Option<&Path>, offer: &Offer<'_>) -> io::Result<Vec<u8>> {
        let Offer {
            finding,
            before,
            after,
        } = offer;
        let look = self.look;
        let path = look.paint(BOLD, visible_line(&input.path().to_string_lossy()));
        let rule = look.paint(RULE, &finding.rule);
        let (message, more) = (visible_line(&finding.message), human::brackets(finding));
        let mut out = format!("\n{path}: {rule}: {message} {more}\n").into_bytes();
        let fix = finding.fix.as_ref();
        for reason in fix.map_or(&[][..], |fix| &fix.reasons) {
            out.extend(format!("- {}\n", visible_line(reason)).into_bytes());
        }
        out.extend(diff::hunks(before, after, look));
        for (path, after) in fix.map_or(&[][..], |fix| &fix.files) {
            // What cannot be read here cannot be written later, which is said then.
            if let Ok((path, before)) = changes::file(path, root) {
                out.extend(diff::unified(&path, before.as_deref(), after, look));
            }
        }
        Ok(out)
    }

    fn answer(&self, state: &mut State, offer: &Offer<'_>) -> io::Result<Choice> {
        loop {
            let fix = offer.finding.fix.as_ref();
            let title = fix.map_or("make this fix", |fix| &fix.title);
            let question = format!("{} [y,n,q,a,d,e,?]?", visible_line(title));
            match self.line(&question)?.as_str() {
                "y" => return Ok(Choice::Take),
                "n" => return Ok(Choice::Leave),
                "a" => return Ok(state.rest.insert(Choice::Take).clone()),
                "d" => return Ok(state.rest.insert(Choice::Leave).clone()),
                "q" => {
                    state.is_over = true;
                    return Ok(Choice::Leave);
                }
                "e" => {
                    if let Some(choice) = self.by_hand(offer)? {
                        return Ok(choice);
                    }
                }
                _ => print(HELP.as_bytes())?,
            }
        }
    }

    /// What somebody makes of the fix in an editor; `None`: ask again.
    fn by_hand(&self, offer: &Offer<'_>) -> io::Result<Option<Choice>> {
        if offer
            .finding
            .fix
            .as_ref()
            .is_some_and(|fix| !fix.files.is_empty())
        {
            self.error("this fix writes another file too, and cannot be changed in part")?;
            return Ok(None);
        }
        let mut text = edit::text(offer.before, offer.after);
        loop {
            let error = match edit::edited(&text) {
                Ok(edited) => {
                    text = edited;
                    match edit::applied(&text, offer.before) {
                        Ok(after) => return Ok(after.map(Choice::Instead)),
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            self.error(&error)?;
            if self.line("Edit again (\"n\" discards what you wrote) [y,n]?")? != "y" {
                return Ok(None);
            }
        }
    }

    fn error(&self, message: &str) -> io::Result<()> {
        let word = self.look.paint(ERROR, "error:");
        print(format!("{word} {}\n", visible_line(message)).as_bytes())
    }

    /// A line that answers `question`; an error where there is none.
    fn line(&self, question: &str) -> io::Result<String> {
        print(format!("{} ", self.look.paint(PROMPT, question)).as_bytes())?;
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim().to_lowercase()),
        }
    }
}

impl State {
    /// Forgets what was said of another file.
    fn enter(&mut self, path: &Path) {
        if self.file.as_deref() != Some(path) {
            self.file = Some(path.to_owned());
            self.rest = None;
        }
    }
}

fn print(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
