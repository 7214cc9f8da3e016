//! The value of `RUN --mount`: comma-separated fields (BuildKit's `instructions/commands_runmount.go`).

use super::expand::NoValue;
use crate::syntax::csv_fields;

/// What a mount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    Bind,
    Cache,
    Tmpfs,
    Secret,
    Ssh,
}

/// A mount of a RUN. Fields that are not given are `None`; keys have one name each (`target`, not `dst`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// What it is; a bind mount unless it says otherwise.
    pub kind: Kind,
    /// The stage, image or named context that it comes from.
    pub from: Option<String>,
    /// The path in there.
    pub source: Option<String>,
    /// Where it is seen.
    pub target: Option<String>,
    /// The name of the cache, secret or agent.
    pub id: Option<String>,
    /// `shared`, `private` or `locked`.
    pub sharing: Option<String>,
    /// Whether it cannot be written to.
    pub readonly: bool,
    /// All other fields, such as `mode` and `required`, as key and value, in order.
    pub others: Vec<(String, String)>,
}

impl Mount {
    /// Reads the value of a `--mount` flag; `expand` gives a field's value without its variables.
    ///
    /// # Errors
    /// [`NoValue`] of the first value that has none, or why BuildKit refuses the mount.
    pub fn parse(
        value: &str,
        expand: &dyn Fn(&str) -> Result<String, NoValue>,
    ) -> Result<Self, NoValue> {
        let mut mount = Self {
            kind: Kind::Bind,
            from: None,
            source: None,
            target: None,
            id: None,
            sharing: None,
            readonly: false,
            others: Vec::new(),
        };
        let mut readonly = None;
        for field in csv_fields(value).unwrap_or_default() {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.to_lowercase(), expand(value)?),
                None => (field.to_lowercase(), "true".to_owned()),
            };
            match key.as_str() {
                "type" => mount.kind = kind(&value)?,
                "from" => mount.from = Some(value),
                "source" | "src" => mount.source = Some(value),
                "target" | "dst" | "destination" => mount.target = Some(value),
                "id" => mount.id = Some(value),
                "sharing" => mount.sharing = Some(value.to_lowercase()),
                "readonly" | "ro" => readonly = Some(is_true(&value)),
                "readwrite" | "rw" => readonly = Some(!is_true(&value)),
                _ => mount.others.push((key, value)),
            }
        }
        let default = !matches!(mount.kind, Kind::Cache | Kind::Tmpfs);
        mount.readonly = readonly.unwrap_or(default);
        Ok(mount)
    }
}

/// The `from` of a mount; BuildKit takes no variable there.
pub fn from(value: &str) -> Option<String> {
    if !value.to_ascii_lowercase().contains("from") {
        return None;
    }
    let mut fields = csv_fields(value)?.into_iter().rev();
    fields.find_map(|field| {
        let (key, value) = field.split_once('=')?;
        let is_from = key.eq_ignore_ascii_case("from") && !value.is_empty();
        is_from.then(|| value.to_owned())
    })
}

fn kind(value: &str) -> Result<Kind, NoValue> {
    match value.to_lowercase().as_str() {
        "bind" => Ok(Kind::Bind),
        "cache" => Ok(Kind::Cache),
        "tmpfs" => Ok(Kind::Tmpfs),
        "secret" => Ok(Kind::Secret),
        "ssh" => Ok(Kind::Ssh),
        _ => Err(NoValue::Refused(format!(
            "unsupported mount type `{value}`"
        ))),
    }
}

fn is_true(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Mount {
        Mount::parse(value, &|word| Ok(word.replace("$D", "/data"))).unwrap()
    }

    #[test]
    fn caches() {
        let mount = parse("type=cache,id=apt,target=/var/cache/apt,sharing=LOCKED,uid=5");
        assert_eq!(mount.kind, Kind::Cache);
        assert_eq!(mount.target.as_deref(), Some("/var/cache/apt"));
        assert_eq!(mount.id.as_deref(), Some("apt"));
        assert_eq!(mount.sharing.as_deref(), Some("locked"));
        assert_eq!(mount.others, [("uid".to_owned(), "5".to_owned())]);
        assert!(!mount.readonly);
    }

    #[test]
    fn binds() {
        let mount = parse("SRC=a,dst=$D/x");
        assert_eq!((mount.kind, mount.readonly), (Kind::Bind, true));
        assert_eq!(mount.source.as_deref(), Some("a"));
        assert_eq!(mount.target.as_deref(), Some("/data/x"));
        assert!(!parse("target=/x,rw").readonly);
        assert!(!parse("target=/x,readonly=false").readonly);
        assert!(parse("type=cache,target=/x,ro").readonly);
    }

    #[test]
    fn quoted_fields() {
        let mount = parse(r#"type=bind,"source=a,b","target=/x""y""#);
        assert_eq!(mount.source.as_deref(), Some("a,b"));
        assert_eq!(mount.target.as_deref(), Some("/x\"y"));
    }

    #[test]
    fn refused_and_unknown() {
        let refused = Mount::parse("type=volume", &|word| Ok(word.to_owned()));
        assert!(matches!(refused, Err(NoValue::Refused(_))));
        let unknown = Mount::parse("target=$X", &|_| Err(NoValue::Unknown));
        assert_eq!(unknown, Err(NoValue::Unknown));
    }

    #[test]
    fn origin() {
        assert_eq!(
            from("type=bind,FROM=build,target=/x").as_deref(),
            Some("build")
        );
        assert_eq!(from("type=cache,target=/from=x"), None);
        assert_eq!(from("from=,target=/x"), None);
    }
}
