//! From configuration to [`Policy`]: names, patterns and templates are resolved once, here.

mod documents;
mod rules;
mod shared;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    FetchId,
    authenticate::Authenticator,
    authorize::Authorizer,
    call::Endpoint,
    challenge::Challenges,
    conditions::Conditions,
    config::{ConfigError, ConfigErrors, Errors, Place, Section, kind, merge},
    jose::{InlineKeys, KeySetSettings, KeySource, SigningKey, SigningSource},
    matching::{Methods, Pattern, PatternCompiler, RuleIndex, Strategy},
    mutate::Mutator,
    on_error::ErrorHandler,
    path::{Cleaning, Reading},
    policy::{AuthenticatorEntry, Needs, Policy, Rule},
};

#[cfg(feature = "analysis")]
pub(crate) use self::documents::UNREADABLE_THERE;
use self::documents::{Documents, shown};
use self::rules::PutAside;
pub(crate) use self::rules::Written;
use self::shared::{Made, SHARES, Shared};

/// Oathkeeper's top-level keys that concern its own process; they are accepted and not used.
const OF_THE_PROCESS: &[&str] = &[
    "serve",
    "log",
    "tracing",
    "profiling",
    "version",
    "sqa",
    "cors",
    "dsn",
    "prometheus",
];

/// The rules of one file.
#[derive(Clone, Copy, Debug)]
pub struct RuleSource<'a> {
    /// The file as the operator knows it, for messages.
    pub file: &'a str,
    /// Its content: a list of rules.
    pub rules: &'a Value,
}

/// All that a policy is made of.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Oathkeeper's configuration tree.
    pub config: &'a Value,
    /// The rules, by file.
    pub rules: &'a [RuleSource<'a>],
    /// Documents (key sets) by the URL under which handlers name them, for URLs such as
    /// `file:///etc/keys.json` that nobody can fetch from where the policy is enforced.
    pub documents: &'a BTreeMap<String, Value>,
}

/// Compiles Oathkeeper's configuration tree and rules into a policy. A rule that has a mistake is put
/// aside, see [`Policy::faults`].
///
/// # Errors
/// If the configuration tree has a mistake: every one, in the tree and in the rules.
pub fn compile(sources: &Sources<'_>) -> Result<Policy, ConfigErrors> {
    let files = sources.rules.iter();
    compile_files(
        sources.config,
        sources.documents,
        files.map(|source| (source.file, Written::Tree(source.rules))),
    )
}

/// The same, of files in either form.
pub(crate) fn compile_files<'a>(
    config: &Value,
    documents: &BTreeMap<String, Value>,
    files: impl IntoIterator<Item = (&'a str, Written<'a>)>,
) -> Result<Policy, ConfigErrors> {
    let errors = Errors::default();
    let mut compiler = Compiler::new(config, documents, &errors);
    let fallback = compiler.fallback();
    let of_config = errors.count();
    let mut patterns = Vec::new();
    let mut rules = Vec::new();
    let mut default_rule: Option<Rule> = None;
    for (file, written) in files {
        let aside = rules::each(file, written, &errors, |place, value| {
            match compiler.rule(value, place.clone()) {
                None => {}
                Some((Matches::Url(methods, pattern), rule)) => {
                    patterns.push((methods, pattern));
                    rules.push(rule);
                }
                Some((Matches::Rest, rule)) if default_rule.is_none() => {
                    default_rule = Some(rule);
                }
                Some((Matches::Rest, _)) => {
                    let fault = ConfigError {
                        place: place.key("gatepost").key("default"),
                        message: "another rule is the default rule already; there is only one, and until \
                                  then neither decides"
                            .to_owned(),
                    };
                    default_rule = default_rule.take().map(|first| first.broken(fault.clone()));
                    compiler.faults.push(fault);
                }
            }
        });
        if let Some(PutAside { place, priority }) = aside {
            Lost::add(&mut compiler.lost, place, priority);
        }
    }
    // Behind all others: the index counts those that it knows.
    let default_rule = default_rule.map(|rule| {
        rules.push(rule);
        rules.len().saturating_sub(1)
    });
    compiler.stop_behind_lost(&mut rules, default_rule);
    let Compiler {
        mut faults,
        key_sets,
        signing_keys,
        key_set_settings,
        origins,
        settable_headers,
        shadow,
        cleaning,
        ..
    } = compiler;
    // A file that holds no rules at all is no broken rule: what it was to say is not known.
    let (of_rules, of_files): (Vec<_>, Vec<_>) = errors
        .take_after(of_config)
        .into_iter()
        .partition(|error| error.place.rule.is_some());
    faults.extend(of_rules);
    let mut mistakes = errors.into_inner();
    mistakes.extend(of_files);
    if !mistakes.is_empty() {
        mistakes.extend(faults);
        return Err(ConfigErrors(mistakes));
    }
    Ok(Policy {
        index: RuleIndex::build(patterns),
        needs: Needs::of(&rules, &fallback),
        tries_rules: rules.iter().any(|rule| rule.shadow),
        rules,
        faults,
        fallback,
        key_sets,
        signing_keys: signing_keys.into_iter().map(|(_, key)| key).collect(),
        key_set_settings,
        origins,
        settable_headers,
        default_rule,
        missing: None,
        shadow,
        reading: Reading {
            cleaning,
            ..Reading::default()
        },
    })
}

/// What a rule is for.
#[derive(Debug)]
enum Matches {
    /// Requests with one of these methods whose URL matches.
    Url(Methods, Pattern),
    /// Requests that no other rule matches.
    Rest,
}

/// The rules that were put aside without it being known which requests they are for.
#[derive(Debug)]
pub(crate) struct Lost {
    /// Where one of them stands.
    place: Place,
    /// The highest priority among them.
    priority: i64,
}

impl Lost {
    fn add(lost: &mut Option<Self>, place: Place, priority: i64) {
        if lost.as_ref().is_none_or(|known| known.priority < priority) {
            *lost = Some(Self { place, priority });
        }
    }
}

/// Whether a mistake may have hidden which priority a rule was to have: it stands right below
/// `gatepost`, where a key that is misspelt could have been `priority`.
fn hides_priority(fault: &ConfigError) -> bool {
    let mut keys = fault.place.path.split(['.', '[']);
    keys.next() == Some("gatepost") && (keys.next(), keys.next()).1.is_none()
}

/// What the handlers need while they are made, and what they leave behind for the policy.
#[derive(Debug)]
pub(crate) struct Compiler<'a> {
    errors: &'a Errors,
    authenticators: Arc<Value>,
    authorizers: Arc<Value>,
    mutators: Arc<Value>,
    error_handlers: Arc<Value>,
    /// Configuration for the handlers that only we have, by stage and name.
    extensions: Value,
    fallback: Vec<String>,
    strategy: Strategy,
    shadow: bool,
    cleaning: Cleaning,
    patterns: PatternCompiler,
    documents: Documents<'a>,
    key_sets: Vec<KeySource>,
    signing_keys: Vec<(String, SigningSource)>,
    key_set_settings: KeySetSettings,
    origins: BTreeMap<Arc<str>, Place>,
    /// The origins of the rule that is being compiled: they count once it is known to be whole.
    origins_of_rule: Vec<(Arc<str>, Place)>,
    settable_headers: Vec<String>,
    faults: Vec<ConfigError>,
    lost: Option<Lost>,
    shared: Shared,
}

/// A handler as a rule names it, with its configuration.
#[derive(Debug)]
pub(crate) struct Entry<'a, 'e> {
    /// Its name, one of the stage's.
    pub(crate) name: &'e str,
    /// Its effective configuration.
    pub(crate) config: Section<'a>,
    /// What stands below `gatepost` beside it: settings that Oathkeeper does not have. Whoever made
    /// the entry tells of keys that nobody asked for.
    pub(crate) extension: &'e mut Section<'a>,
}

/// Where the handlers of a stage come from.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// The key of the stage in the configuration tree.
    stage: &'static str,
    /// The names that Oathkeeper knows.
    names: &'static [&'static str],
    /// The names that only we know.
    extensions: &'static [&'static str],
}

const AUTHENTICATORS: Kind = Kind {
    stage: "authenticators",
    names: Authenticator::NAMES,
    extensions: Authenticator::EXTENSIONS,
};

const AUTHORIZERS: Kind = Kind {
    stage: "authorizers",
    names: Authorizer::NAMES,
    extensions: Authorizer::EXTENSIONS,
};

const MUTATORS: Kind = Kind {
    stage: "mutators",
    names: Mutator::NAMES,
    extensions: Mutator::EXTENSIONS,
};

const ERROR_HANDLERS: Kind = Kind {
    stage: "errors.handlers",
    names: ErrorHandler::NAMES,
    extensions: &[],
};

impl<'a> Compiler<'a> {
    fn new(config: &Value, documents: &'a BTreeMap<String, Value>, errors: &'a Errors) -> Self {
        let mut tree = Section::new(Some(config), Place::default(), errors);
        for key in OF_THE_PROCESS {
            tree.value(key);
        }
        let mut access_rules = tree.section("access_rules");
        access_rules.value("repositories");
        let strategy = match access_rules.string("matching_strategy").as_deref() {
            None | Some("" | "regexp") => Strategy::Regexp,
            Some("glob") => Strategy::Glob,
            Some(other) => {
                let message = format!("`{other}` is neither `regexp` nor `glob`");
                access_rules.wrong("matching_strategy", message);
                Strategy::Regexp
            }
        };
        access_rules.finish();
        let mut gatepost = tree.section("gatepost");
        let shadow = gatepost.bool("shadow", false);
        let cleaning = cleaning(&mut gatepost);
        let strategy = with_separators(strategy, &mut gatepost);
        // Read where rules are fetched.
        gatepost.value("poll_interval");
        let extensions = ["authenticators", "authorizers", "mutators"]
            .into_iter()
            .filter_map(|stage| Some((stage.to_owned(), gatepost.value(stage)?.clone())))
            .collect();
        gatepost.finish();
        let mut error_section = tree.section("errors");
        let fallback = error_section
            .strings("fallback")
            .unwrap_or_else(|| vec!["json".to_owned()]);
        let mut compiler = Self {
            errors,
            authenticators: tree
                .value("authenticators")
                .cloned()
                .unwrap_or_default()
                .into(),
            authorizers: tree
                .value("authorizers")
                .cloned()
                .unwrap_or_default()
                .into(),
            mutators: tree.value("mutators").cloned().unwrap_or_default().into(),
            error_handlers: error_section
                .value("handlers")
                .cloned()
                .unwrap_or_default()
                .into(),
            extensions: Value::Object(extensions),
            fallback,
            strategy,
            shadow,
            cleaning,
            patterns: PatternCompiler::default(),
            documents: Documents::new(documents),
            key_sets: Vec::new(),
            signing_keys: Vec::new(),
            key_set_settings: KeySetSettings::default(),
            origins: BTreeMap::new(),
            origins_of_rule: Vec::new(),
            settable_headers: Vec::new(),
            faults: Vec::new(),
            lost: None,
            shared: Shared::default(),
        };
        error_section.finish();
        tree.finish();
        compiler.check_handler_names();
        compiler
    }

    pub(crate) const fn errors(&self) -> &'a Errors {
        self.errors
    }

    /// How the patterns of all rules are written.
    pub(crate) const fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// The endpoint at `key` of a handler's configuration, which is required.
    pub(crate) fn endpoint(
        &mut self,
        section: &mut Section<'_>,
        key: &'static str,
    ) -> Option<Endpoint> {
        let url = section.required_string(key)?;
        self.parse_endpoint(&url, section.place().key(key))
    }

    /// The key set at `url`: fetched from there, unless it came with the policy.
    pub(crate) fn key_set(&mut self, url: &str, place: Place) -> Option<FetchId> {
        let source = self.key_set_at(url, place)?;
        self.key_source(source)
    }

    /// The key set from `source`: one for the whole policy, however many handlers use it.
    pub(crate) fn key_source(&mut self, source: KeySource) -> Option<FetchId> {
        let known = self.key_sets.iter().position(|known| *known == source);
        let index = known.unwrap_or_else(|| {
            self.key_sets.push(source);
            self.key_sets.len().saturating_sub(1)
        });
        u32::try_from(index).ok().map(FetchId)
    }

    /// The signing key at `url`: one for the whole policy, apart from the keys that verify.
    pub(crate) fn signing_key(&mut self, url: &str, place: Place) -> Option<usize> {
        let known = self.signing_keys.iter().position(|(known, _)| known == url);
        if known.is_some() {
            return known;
        }
        let source = match self.documents.find(url) {
            Ok(None) => SigningSource::Url(self.parse_endpoint(url, place)?),
            Ok(Some(set)) => match SigningKey::choose(&set) {
                Ok(key) => SigningSource::Given(Arc::new(key)),
                Err(fault) => {
                    let message = format!("`{}`: {fault}", shown(url));
                    self.errors.add(place, message);
                    return None;
                }
            },
            Err(message) => {
                self.errors.add(place, message);
                return None;
            }
        };
        self.signing_keys.push((url.to_owned(), source));
        Some(self.signing_keys.len().saturating_sub(1))
    }

    /// Where the keys at `url` come from: a document that came with the policy, or a fetch.
    fn key_set_at(&mut self, url: &str, place: Place) -> Option<KeySource> {
        match self.documents.find(url) {
            Ok(None) => self.parse_endpoint(url, place).map(KeySource::Url),
            Ok(Some(set)) => match InlineKeys::read(&set) {
                Ok(keys) => Some(KeySource::Inline(keys)),
                Err(fault) => {
                    self.errors.add(place, format!("`{}`: {fault}", shown(url)));
                    None
                }
            },
            Err(message) => {
                self.errors.add(place, message);
                None
            }
        }
    }

    /// How long keys stay fresh and how long a fetch may take. Of several, the shortest life and
    /// the longest patience count.
    pub(crate) fn key_set_times(&mut self, ttl: Option<Duration>, timeout: Option<Duration>) {
        let settings = &mut self.key_set_settings;
        if let Some(ttl) = ttl {
            settings.ttl = settings.ttl.min(ttl);
        }
        if let Some(timeout) = timeout {
            settings.timeout = settings.timeout.max(timeout);
        }
    }

    /// Notes a header that rules set, so that no client can send it.
    pub(crate) fn settable_header(&mut self, name: &str) {
        let name = name.to_ascii_lowercase().replace('_', "-");
        if !self.settable_headers.contains(&name) {
            self.settable_headers.push(name);
        }
    }

    /// The endpoint at `url`, whose origin the policy may then call.
    pub(crate) fn parse_endpoint(&mut self, url: &str, place: Place) -> Option<Endpoint> {
        match Endpoint::parse(url) {
            Ok(endpoint) => {
                let origin = Arc::clone(&endpoint.origin);
                self.origins_of_rule.push((origin, place));
                Some(endpoint)
            }
            Err(error) => {
                self.errors.add(place, format!("`{}`: {error}", shown(url)));
                None
            }
        }
    }

    /// One rule. A mistake in one part does not hide those in the others; all of them become faults
    /// of the policy, and the rule remains only to refuse what it matches.
    fn rule(&mut self, value: Value, place: Place) -> Option<(Matches, Rule)> {
        let (noted, key_sets) = (self.errors.count(), self.key_sets.len());
        let signing_keys = self.signing_keys.len();
        let compiled = self.try_rule(value, place);
        let faults = self.errors.take_after(noted);
        let origins = std::mem::take(&mut self.origins_of_rule);
        let Some(first) = faults.first().cloned() else {
            for (origin, place) in origins {
                self.origins.entry(origin).or_insert(place);
            }
            let (matches, rule) = compiled?;
            return Some((matches?, rule));
        };
        // What the rule's handlers refer to goes with it.
        self.shared = Shared::default();
        self.key_sets.truncate(key_sets);
        self.signing_keys.truncate(signing_keys);
        let goes_first = faults.iter().any(hides_priority);
        self.faults.extend(faults);
        let broken = compiled.map(|(matches, rule)| {
            let mut rule = rule.broken(first.clone());
            if goes_first {
                rule.priority = i64::MAX;
            }
            (matches, rule)
        });
        match broken {
            Some((Some(matches), rule)) => Some((matches, rule)),
            Some((None, rule)) => {
                Lost::add(&mut self.lost, first.place, rule.priority);
                None
            }
            None => {
                Lost::add(&mut self.lost, first.place, 0);
                None
            }
        }
    }

    /// Puts aside the rules that would get the requests of rules that are lost: those that these may
    /// go before, and the default rule.
    fn stop_behind_lost(&mut self, rules: &mut [Rule], default_rule: Option<usize>) {
        let Some(lost) = self.lost.take() else {
            return;
        };
        let fault = ConfigError {
            place: lost.place,
            message: "which requests the rule is for is not known: as long as that is so, the default rule \
                      and the rules of a lower priority refuse what they match"
                .to_owned(),
        };
        let mut stopped = false;
        for (number, rule) in rules.iter_mut().enumerate() {
            let is_behind = rule.priority < lost.priority || Some(number) == default_rule;
            if is_behind && rule.fault.is_none() {
                rule.stop(fault.clone());
                stopped = true;
            }
        }
        if stopped {
            self.faults.push(fault);
        }
    }

    /// One rule, and what it matches where that can be told.
    fn try_rule(&mut self, value: Value, place: Place) -> Option<(Option<Matches>, Rule)> {
        if !value.is_object() {
            let message = format!("must be an object, not {}", kind(&value));
            self.errors.add(place, message);
            return None;
        }
        // Unknown keys of a rule are ignored, as they are by Oathkeeper: no `finish`.
        let mut section = Section::ignoring_case(value, place, self.errors);
        let id = section.string("id").unwrap_or_default();
        let mut extension = section.section("gatepost");
        let shadow = extension.bool("shadow", false);
        let is_default = extension.bool("default", false);
        let priority = extension.integer("priority", 0);
        let conditions = Conditions::compile(&mut extension, self);
        let matches = if is_default {
            Some(Matches::Rest)
        } else {
            self.matched(&mut section, conditions.any_method)
        };
        let authenticators = self.authenticators(&mut section, &mut extension);
        let authorizers = self.authorizers(&mut section, &mut extension);
        let mutators = self.mutators(&mut section, &mut extension);
        let errors = self.rule_errors(&mut section);
        let offers = authenticators
            .iter()
            .flat_map(|entry| entry.handler.offers());
        let challenges = Challenges::compile(&mut extension, offers.collect());
        extension.finish();
        let rule = Rule {
            id: id.into(),
            fault: None,
            authenticators,
            authorizers,
            mutators,
            errors,
            challenges,
            shadow,
            conditions,
            priority,
        };
        Some((matches, rule))
    }

    /// A pattern in the policy's language.
    pub(crate) fn pattern(&mut self, text: &str, place: Place) -> Option<Pattern> {
        match self.patterns.compile(self.strategy, text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                self.errors.add(place, error.to_string());
                None
            }
        }
    }

    fn matched(&mut self, rule: &mut Section<'_>, any_method: bool) -> Option<Matches> {
        let place = rule.place().key("match");
        let Some(value) = rule.value("match").cloned() else {
            rule.wrong(
                "match",
                "is required: which URLs and methods the rule is for",
            );
            return None;
        };
        let mut section = Section::ignoring_case(value, place, self.errors);
        if section.value("full_method").is_some() {
            section.wrong(
                "full_method",
                "rules for gRPC middleware cannot be enforced here; match the URL `…/package.Service/Method` with POST",
            );
            return None;
        }
        let methods = match section.strings("methods") {
            _ if any_method => Methods::Any,
            Some(methods) => methods.into(),
            // A mistake: the rule refuses what it matches, whatever the method.
            None if section.value("methods").is_some() => Methods::Any,
            None => Vec::new().into(),
        };
        let url = section.required_string("url")?;
        if url.is_empty() {
            section.wrong("url", "must not be empty");
            return None;
        }
        let place = section.place().key("url");
        Some(Matches::Url(methods, self.pattern(&url, place)?))
    }

    fn authenticators(
        &mut self,
        rule: &mut Section<'a>,
        extension: &mut Section<'a>,
    ) -> Vec<Arc<AuthenticatorEntry>> {
        let mut entries = extension.list("authenticators");
        entries.extend(rule.list("authenticators"));
        if entries.is_empty() {
            rule.wrong("authenticators", "at least one is required");
        }
        let global = Arc::clone(&self.authenticators);
        self.handlers(entries, AUTHENTICATORS, &global, |entry, compiler| {
            let continue_on_failure = entry.extension.bool("continue_on_failure", false);
            Some(AuthenticatorEntry {
                handler: Authenticator::compile(entry, compiler)?,
                continue_on_failure,
            })
        })
    }

    fn authorizers(
        &mut self,
        rule: &mut Section<'a>,
        extension: &mut Section<'a>,
    ) -> Vec<Arc<Authorizer>> {
        let place = rule.place().key("authorizer");
        let mut entries = Vec::new();
        match rule.value("authorizer").cloned() {
            Some(entry) => entries.push((place, entry)),
            None => rule.wrong(
                "authorizer",
                "is required; `{\"handler\": \"allow\"}` allows every caller",
            ),
        }
        entries.extend(extension.list("authorizers"));
        let global = Arc::clone(&self.authorizers);
        self.handlers(entries, AUTHORIZERS, &global, Authorizer::compile)
    }

    fn mutators(
        &mut self,
        rule: &mut Section<'a>,
        extension: &mut Section<'a>,
    ) -> Vec<Arc<Mutator>> {
        let mut entries = rule.list("mutators");
        if entries.is_empty() {
            rule.wrong(
                "mutators",
                "at least one is required; `{\"handler\": \"noop\"}` changes nothing",
            );
        }
        entries.extend(extension.list("mutators"));
        let global = Arc::clone(&self.mutators);
        self.handlers(entries, MUTATORS, &global, Mutator::compile)
    }

    fn rule_errors(&mut self, rule: &mut Section<'a>) -> Vec<Arc<ErrorHandler>> {
        let entries = rule.list("errors");
        let global = Arc::clone(&self.error_handlers);
        self.handlers(entries, ERROR_HANDLERS, &global, |entry, _| {
            ErrorHandler::compile(entry.name, entry.config)
        })
    }

    /// The handlers of one stage of a rule: each known, enabled, and with its own configuration
    /// laid over the global one.
    fn handlers<H: shared::Kept>(
        &mut self,
        entries: Vec<(Place, Value)>,
        kind: Kind,
        global: &Value,
        make: impl Fn(Entry<'a, '_>, &mut Self) -> Option<H>,
    ) -> Vec<Arc<H>> {
        let entries = entries.into_iter();
        let mut handlers: Vec<_> = entries
            .filter_map(|(place, entry)| self.handler(place, entry, kind, global, &make))
            .collect();
        handlers.shrink_to_fit();
        handlers
    }

    /// One handler: that of an earlier rule which says the same, or a new one.
    fn handler<H: shared::Kept>(
        &mut self,
        place: Place,
        entry: Value,
        kind: Kind,
        global: &Value,
        make: impl Fn(Entry<'a, '_>, &mut Self) -> Option<H>,
    ) -> Option<Arc<H>> {
        let mut section = Section::ignoring_case(entry, place, self.errors);
        let name = section.required_string("handler")?;
        let base = self.base(kind, &name, global, &section)?;
        let key = match SHARES {
            true => shared::key(&name, &mut section),
            false => String::new(),
        };
        if SHARES && let Some(made) = H::known(&self.shared).get(&key) {
            self.origins_of_rule.extend(made.origins.iter().cloned());
            return Some(Arc::clone(&made.handler));
        }
        let of_base = |key| base.and_then(|base| base.get(key));
        let config = merge(of_base("config"), section.value("config"));
        let extension = merge(of_base("gatepost"), section.value("gatepost"));
        let place = section.place();
        let mut extension = Section::owned(extension, place.key("gatepost"), self.errors);
        let entry = Entry {
            name: &name,
            config: Section::owned(config, place.key("config"), self.errors),
            extension: &mut extension,
        };
        let (noted, origins) = (self.errors.count(), self.origins_of_rule.len());
        let handler = make(entry, self);
        extension.finish();
        let handler = Arc::new(handler?);
        if SHARES && handler.is_shareable() && self.errors.count() == noted {
            let origins = self.origins_of_rule.iter().skip(origins).cloned().collect();
            let handler = Arc::clone(&handler);
            H::known_mut(&mut self.shared).insert(key, Made { handler, origins });
        }
        Some(handler)
    }

    /// What the configuration tree says of the handler `name`; notes if it cannot be used.
    fn base<'s>(
        &'s self,
        kind: Kind,
        name: &str,
        global: &'s Value,
        section: &Section<'_>,
    ) -> Option<Option<&'s Value>> {
        if kind.extensions.contains(&name) {
            let of_stage = self.extensions.get(kind.stage);
            return Some(of_stage.and_then(|stage| stage.get(name)));
        }
        if !kind.names.contains(&name) {
            section.wrong("handler", unknown_handler(name, kind.names));
            return None;
        }
        let of_handler = global.get(name);
        if !enabled(kind.stage, name, of_handler) {
            let stage = kind.stage;
            let message = format!(
                "`{name}` is not enabled; set `{stage}.{name}.enabled: true` in the configuration"
            );
            section.wrong("handler", message);
            return None;
        }
        Some(of_handler)
    }

    /// The handlers of last resort, with their global configuration.
    fn fallback(&mut self) -> Vec<ErrorHandler> {
        let global = Arc::clone(&self.error_handlers);
        let place = Place::default().key("errors").key("fallback");
        let names = self.fallback.clone();
        if names.is_empty() {
            self.errors.add(place, "must name at least one handler");
            return Vec::new();
        }
        names
            .iter()
            .filter_map(|name| {
                let of_handler = global.get(name);
                if !ErrorHandler::NAMES.contains(&name.as_str()) {
                    self.errors
                        .add(place.clone(), unknown_handler(name, ErrorHandler::NAMES));
                    return None;
                }
                if !enabled("errors.handlers", name, of_handler) {
                    let message = format!(
                        "`{name}` is not enabled; set `errors.handlers.{name}.enabled: true`"
                    );
                    self.errors.add(place.clone(), message);
                    return None;
                }
                let config = merge(of_handler.and_then(|handler| handler.get("config")), None);
                let place = Place::default()
                    .key("errors")
                    .key("handlers")
                    .key(name)
                    .key("config");
                ErrorHandler::compile(name, Section::new(Some(&config), place, self.errors))
            })
            .collect()
    }

    /// Names in the configuration tree that no handler has are mistakes: a misspelt `enabled`
    /// would otherwise only show at the first rule.
    fn check_handler_names(&mut self) {
        let stages = [
            (AUTHENTICATORS, &self.authenticators),
            (AUTHORIZERS, &self.authorizers),
            (MUTATORS, &self.mutators),
            (ERROR_HANDLERS, &self.error_handlers),
        ];
        for (Kind { stage, names, .. }, tree) in stages {
            let place = Place {
                path: stage.to_owned(),
                ..Place::default()
            };
            let section = Section::new(Some(tree), place.clone(), self.errors);
            drop(section);
            for (name, handler) in tree.as_object().into_iter().flatten() {
                let is_enabled = handler.get("enabled").and_then(Value::as_bool) == Some(true);
                if is_enabled && !names.contains(&name.as_str()) {
                    self.errors
                        .add(place.key(name), unknown_handler(name, names));
                }
                let mut section = Section::new(Some(handler), place.key(name), self.errors);
                section.bool("enabled", false);
                section.value("config");
                section.value("gatepost");
                section.finish();
            }
        }
    }
}

/// `*` of a glob stops at dots too, as in Oathkeeper, unless `glob_separators` says `/`.
fn with_separators(strategy: Strategy, gatepost: &mut Section<'_>) -> Strategy {
    match (gatepost.string("glob_separators").as_deref(), strategy) {
        (None | Some("./"), _) => strategy,
        (Some("/"), Strategy::Glob) => Strategy::PathGlob,
        (Some(_), Strategy::Glob | Strategy::PathGlob) => {
            gatepost.wrong("glob_separators", "must be `./` or `/`");
            strategy
        }
        (Some(_), Strategy::Regexp) => {
            let message = "is for `access_rules.matching_strategy: glob`";
            gatepost.wrong("glob_separators", message);
            strategy
        }
    }
}

/// Which Oathkeeper's way of cleaning paths is followed.
fn cleaning(gatepost: &mut Section<'_>) -> Cleaning {
    let Some(name) = gatepost.string("path_cleaning") else {
        return Cleaning::default();
    };
    Cleaning::parse(&name).unwrap_or_else(|| {
        let message = format!("`{name}` is neither `v26` nor `v0.40`");
        gatepost.wrong("path_cleaning", message);
        Cleaning::default()
    })
}

/// `json` is the one handler that is on unless it is turned off.
fn enabled(stage: &str, name: &str, handler: Option<&Value>) -> bool {
    let default = stage == "errors.handlers" && name == "json";
    handler
        .and_then(|handler| handler.get("enabled"))
        .map_or(default, |enabled| enabled == &Value::Bool(true))
}

fn unknown_handler(name: &str, names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "`{name}` is not a handler of this stage; there are {}",
        names.join(", ")
    )
}
