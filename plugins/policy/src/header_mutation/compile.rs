//! The module's configuration, from JSON.

use serde_json::Value;

use crate::{
    config::{ConfigErrors, Errors, Place, Section},
    template::Reads,
};

use super::{
    HeaderMutation, Operations, Rule,
    claims::ClaimsFrom,
    condition::Condition,
    operation::{Operation, Side},
};

impl HeaderMutation {
    /// Compiles the module's configuration. `known_elsewhere` are the keys that are not for the engine.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn compile(config: &Value, known_elsewhere: &[&'static str]) -> Result<Self, ConfigErrors> {
        let errors = Errors::default();
        let mut section = Section::new(Some(config), Place::default(), &errors);
        let claims_from = ClaimsFrom::compile(&mut section);
        let mut rules = vec![Rule {
            condition: Condition::default(),
            request: operations(&mut section, Side::Request),
            response: operations(&mut section, Side::Response),
        }];
        for (place, rule) in section.list("rules") {
            rules.push(Rule::compile(&rule, place, &errors));
        }
        for key in known_elsewhere {
            section.value(key);
        }
        section.finish();
        let plan = Self {
            reserved: reserved(&rules),
            rules,
            claims_from,
        };
        plan.check(&errors);
        match errors.into_inner() {
            errors if errors.is_empty() => Ok(plan),
            errors => Err(ConfigErrors(errors)),
        }
    }

    fn check(&self, errors: &Errors) {
        let operations = || {
            self.rules
                .iter()
                .flat_map(|rule| [&rule.request, &rule.response])
        };
        if errors.count() > 0 {
            return;
        }
        if operations().all(|it| it.list.is_empty()) {
            errors.add(
                Place::default(),
                "changes nothing; write operations under `request`, `response` or `rules`",
            );
        }
        if self.claims_from.is_none() && operations().any(|it| it.reads.claims) {
            errors.add(
                Place::default().key("claims_from"),
                "is required: a template reads `.Claims`; name the metadata or the header in \
                 which a filter that verifies tokens leaves them",
            );
        }
    }
}

impl Rule {
    fn compile(rule: &Value, place: Place, errors: &Errors) -> Self {
        let mut section = Section::new(Some(rule), place, errors);
        // For its readers.
        section.string("name");
        let condition = Condition::compile(&mut section);
        let request = operations(&mut section, Side::Request);
        let response = operations(&mut section, Side::Response);
        if condition.asks_for_status() && !request.list.is_empty() {
            section.wrong(
                "match.status",
                "a request has no status; put the operations on it into a rule of their own",
            );
        }
        section.finish();
        Self {
            condition,
            request,
            response,
        }
    }
}

fn operations(section: &mut Section<'_>, side: Side) -> Operations {
    let key = match side {
        Side::Request => "request",
        Side::Response => "response",
    };
    let errors = section.errors();
    let mut list = Vec::new();
    for (place, item) in section.list(key) {
        if !item.is_object() {
            let message = "must be an operation, such as `{\"remove\": \"x-powered-by\"}`";
            errors.add(place, message);
            continue;
        }
        let mut item = Section::new(Some(&item), place, errors);
        list.extend(Operation::compile(&mut item, side));
        item.finish();
    }
    let mut reads = Reads::default();
    list.iter()
        .filter_map(Operation::reads)
        .for_each(|it| reads.add(it));
    Operations { list, reads }
}

fn reserved(rules: &[Rule]) -> Vec<String> {
    let mut names: Vec<String> = rules
        .iter()
        .flat_map(|rule| &rule.request.list)
        .filter(|operation| operation.is_reserved)
        .filter_map(Operation::writes)
        .map(str::to_owned)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
