//! What the program in an image answers: a command that is run in it, or a page that it serves.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::How;
use crate::engine::{Container, Engine, Run};
use crate::verify::Answer;

/// So long may a command take.
const COMMAND: Duration = Duration::from_secs(120);

/// So long may a program take until it serves its page.
const START: Duration = Duration::from_secs(60);

/// As much of a page is compared, in bytes.
const PAGE: u64 = 1 << 20;

/// Whether what images are to be asked can be asked; before anything is built.
///
/// # Errors
/// What is wrong with it.
pub(in crate::cli) fn check(how: &How) -> Result<()> {
    if let Some(page) = &how.http {
        port_and_path(page)?;
    }
    if let Some(command) = &how.smoke {
        words(command)?;
    }
    Ok(())
}

/// What the image answers, where it is to be tried; `None` where it is not, or the engine runs no containers.
pub(super) fn ask(engine: &dyn Engine, image: &str, how: &How) -> Result<Option<Answer>> {
    if let Some(command) = &how.smoke {
        return smoke(engine, image, command);
    }
    match &how.http {
        Some(page) => http(engine, image, page),
        None => Ok(None),
    }
}

/// Runs the words of `command` in the image; a shell of the image runs what only a shell understands.
fn smoke(engine: &dyn Engine, image: &str, command: &str) -> Result<Option<Answer>> {
    let words = words(command)?;
    let run = Run {
        command: &words,
        limit: COMMAND,
    };
    let ran = engine.run(image, &run)?;
    Ok(ran.map(|ran| Answer {
        status: ran.status,
        body: ran.stdout,
    }))
}

fn words(command: &str) -> Result<Vec<String>> {
    let words = match command.contains(['$', '|', '&', ';', '<', '>', '*', '(', '`']) {
        true => ["/bin/sh", "-c", command].map(str::to_owned).to_vec(),
        false => shlex::split(command).context("`--smoke` has a quote that is not closed")?,
    };
    match words.is_empty() {
        true => bail!("`--smoke` names no command"),
        false => Ok(words),
    }
}

/// Starts the image and fetches `PORT/PATH` as soon as it is served.
fn http(engine: &dyn Engine, image: &str, page: &str) -> Result<Option<Answer>> {
    let (port, path) = port_and_path(page)?;
    let Some(container) = engine.start(image, port)? else {
        return Ok(None);
    };
    let start = Instant::now();
    loop {
        if let Some(answer) = fetched(container.as_ref(), path) {
            return Ok(Some(answer));
        }
        if start.elapsed() > START || container.address().is_err() {
            let said = container.logs();
            let last = said.lines().last().unwrap_or("it printed nothing");
            let why = format!("serves no page on port {port}: {last}");
            return Ok(Some(Answer::silence(&why)));
        }
        thread::sleep(Duration::from_millis(200));
    }
}

fn port_and_path(page: &str) -> Result<(u16, &str)> {
    let (port, path) = page.split_once('/').unwrap_or((page, ""));
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok((port, path)),
        _ => bail!("`--http {page}`: `{port}` is no port; write `8000/health`"),
    }
}

/// The page, where it is served by now.
fn fetched(container: &dyn Container, path: &str) -> Option<Answer> {
    let address = container.address().ok()?;
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .new_agent();
    let mut response = agent.get(format!("http://{address}/{path}")).call().ok()?;
    let status = response.status().as_u16().into();
    let mut body = Vec::new();
    let reader = response.body_mut().as_reader();
    reader.take(PAGE).read_to_end(&mut body).ok()?;
    Some(Answer { status, body })
}
