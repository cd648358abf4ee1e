//! Slash-separated paths, as Go's `path` package reads them. They are only text: no file is touched.

use super::{Args, Function};
use crate::template::{error::Fault, value::Value};

pub(super) const TABLE: &[Function] = &[
    Function::new("base", 1, 1, |args| {
        written(args, |path| base(path).to_owned())
    }),
    Function::new("dir", 1, 1, |args| {
        written(args, |path| {
            clean(
                path.rfind('/')
                    .map_or("", |at| path.get(..=at).unwrap_or_default()),
            )
        })
    }),
    Function::new("clean", 1, 1, |args| written(args, clean)),
    Function::new("ext", 1, 1, |args| {
        written(args, |path| extension(path).to_owned())
    }),
    Function::new("isAbs", 1, 1, |args| {
        Ok(Value::Bool(args.text(0)?.starts_with('/')))
    }),
];

fn written<'v>(
    args: &mut Args<'_, 'v>,
    write: impl Fn(&str) -> String,
) -> Result<Value<'v>, Fault> {
    let path = args.text(0)?;
    args.made(write(&path))
}

/// The last element.
fn base(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match (path.is_empty(), trimmed.rsplit('/').next()) {
        (true, _) => ".",
        (false, None | Some("")) => "/",
        (false, Some(last)) => last,
    }
}

/// The shortest path of the same meaning.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => drop(kept.pop()),
            ".." if rooted => {}
            segment => kept.push(segment),
        }
    }
    let path = kept.join("/");
    match (rooted, path.is_empty()) {
        (true, _) => format!("/{path}"),
        (false, true) => ".".to_owned(),
        (false, false) => path,
    }
}

/// The last element from its last dot on.
fn extension(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.rfind('.')
        .and_then(|at| last.get(at..))
        .unwrap_or_default()
}
