//! Runs a program: walks its nodes and writes text.

mod expression;

use super::{
    ast::{Body, Branch, Call, Node, Pipeline, Program, Range},
    budget::Budget,
    error::{Fault, Place, RenderError},
    format,
    in_string::InString,
    object::Object,
    value::{Text, Value},
};

/// With `json` the output is to be a JSON document.
pub(super) fn render<'v>(
    program: &'v Program,
    dot: Object<'v>,
    json: Option<InString>,
) -> Result<String, RenderError> {
    let mut run = Run::new(program);
    run.json = json;
    run.all(dot)
}

/// `None` if something that was to be printed is not there. Go prints `<no value>` in its place.
pub(super) fn render_present<'v>(
    program: &'v Program,
    dot: Object<'v>,
) -> Result<Option<String>, RenderError> {
    let mut run = Run::new(program);
    run.gap = Some(false);
    let output = run.all(dot)?;
    Ok((run.gap == Some(false)).then_some(output))
}

struct Run<'v> {
    program: &'v Program,
    output: String,
    /// Where in a JSON document the output stands, if it is one.
    json: Option<InString>,
    /// Whether something was not there; `None` where what is missing is handled as in Go.
    gap: Option<bool>,
    budget: Budget,
    /// The variables of the template that runs; slot 0 is `$`.
    frame: Vec<Value<'v>>,
    /// The command that runs, for errors.
    place: Place,
}

/// What comes after a list of nodes.
#[derive(Clone, Copy, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl<'v> Run<'v> {
    const fn new(program: &'v Program) -> Self {
        Self {
            program,
            output: String::new(),
            json: None,
            gap: None,
            budget: Budget::new(),
            frame: Vec::new(),
            place: Place::START,
        }
    }

    fn all(&mut self, dot: Object<'v>) -> Result<String, RenderError> {
        let program = self.program;
        match self.body(&program.main, &Value::Object(dot)) {
            Ok(()) => Ok(std::mem::take(&mut self.output)),
            Err(fault) => Err(fault.at(self.place)),
        }
    }

    fn body(&mut self, body: &'v Body, dot: &Value<'v>) -> Result<(), Fault> {
        self.budget.steps(body.slots)?;
        let mut frame = vec![Value::Nil; body.slots];
        if let Some(root) = frame.first_mut() {
            *root = dot.clone();
        }
        let outer = std::mem::replace(&mut self.frame, frame);
        let walked = self.nodes(&body.nodes, dot);
        self.frame = outer;
        walked.map(|_| ())
    }

    fn nodes(&mut self, nodes: &'v [Node], dot: &Value<'v>) -> Result<Flow, Fault> {
        self.budget.enter()?;
        for node in nodes {
            let flow = self.node(node, dot)?;
            if flow != Flow::Next {
                self.budget.leave();
                return Ok(flow);
            }
        }
        self.budget.leave();
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &'v Node, dot: &Value<'v>) -> Result<Flow, Fault> {
        self.budget.steps(1)?;
        match node {
            Node::Text(text) => self.print(text)?,
            Node::Pipeline(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.target.is_none() {
                    self.print_value(&value, pipeline)?;
                }
            }
            Node::Branch(branch) => return self.branch(branch, dot),
            Node::Range(range) => return self.range(range, dot),
            Node::Template(call) => self.template(call, dot)?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn branch(&mut self, branch: &'v Branch, dot: &Value<'v>) -> Result<Flow, Fault> {
        for (condition, nodes) in &branch.arms {
            let value = self.pipeline(condition, dot)?;
            if value.truth() {
                return self.nodes(nodes, if branch.rebinds { &value } else { dot });
            }
        }
        self.nodes(&branch.otherwise, dot)
    }

    fn range(&mut self, range: &'v Range, dot: &Value<'v>) -> Result<Flow, Fault> {
        let mut turned = false;
        match self.pipeline(&range.over, dot)? {
            Value::Int(count) => {
                if range.index.is_some() {
                    return Err(Fault::new(
                        "`range` over a number fills one variable, not two",
                    ));
                }
                for int in 0..count {
                    turned = true;
                    if self.turn(range, Value::Nil, &Value::Int(int))? == Flow::Break {
                        break;
                    }
                }
            }
            Value::List(list) => {
                for (int, element) in (0_i64..).zip(list.iter()) {
                    turned = true;
                    if self.turn(range, Value::Int(int), &element)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                self.budget.steps(map.len())?;
                for (key, element) in map.entries() {
                    turned = true;
                    if self.turn(range, Value::Text(key), &element)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Nil | Value::Null => {}
            other => {
                return Err(Fault::new(format!(
                    "`range` cannot iterate over a {}",
                    other.type_name()
                )));
            }
        }
        if turned {
            Ok(Flow::Next)
        } else {
            self.nodes(&range.otherwise, dot)
        }
    }

    /// One iteration: the element becomes the dot.
    fn turn(
        &mut self,
        range: &'v Range,
        index: Value<'v>,
        element: &Value<'v>,
    ) -> Result<Flow, Fault> {
        if let Some(slot) = range.index {
            self.set(slot, index);
        }
        if let Some(slot) = range.element {
            self.set(slot, element.clone());
        }
        self.nodes(&range.body, element)
    }

    fn template(&mut self, call: &'v Call, dot: &Value<'v>) -> Result<(), Fault> {
        self.place = call.place;
        let argument = match &call.argument {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Value::Nil,
        };
        match self.program.templates.get(call.index) {
            Some(body) => self.body(body, &argument),
            None => Err(Fault::new("the template is not defined")),
        }
    }

    fn set(&mut self, slot: usize, value: Value<'v>) {
        if let Some(variable) = self.frame.get_mut(slot) {
            *variable = value;
        }
    }

    fn print(&mut self, text: &str) -> Result<(), Fault> {
        self.budget.text(text.len())?;
        if let Some(json) = &mut self.json {
            json.advance(text);
        }
        self.output.push_str(text);
        Ok(())
    }

    /// Prints what an action made.
    fn print_action(&mut self, text: &str, action: &Pipeline) -> Result<(), Fault> {
        let escaped = |json: &InString| json.escaped(text, || action.is_escaped());
        match self.json.as_ref().and_then(escaped) {
            Some(escaped) => self.print(&escaped),
            None => self.print(text),
        }
    }

    fn print_value(&mut self, value: &Value<'v>, action: &Pipeline) -> Result<(), Fault> {
        match value {
            Value::Nil | Value::Null => match &mut self.gap {
                Some(gap) => {
                    *gap = true;
                    Ok(())
                }
                None => self.print("<no value>"),
            },
            Value::Text(text) => self.print_action(text, action),
            other => {
                let text = format::display(&mut self.budget, other)?;
                self.print_action(&text, action)
            }
        }
    }
}

/// A literal, as a value.
const fn constant(text: &str) -> Value<'_> {
    Value::Text(Text::Borrowed(text))
}
