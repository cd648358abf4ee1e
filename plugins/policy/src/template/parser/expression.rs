//! Pipelines, commands and operands.

use super::{Parser, TemplateError, tokens::describe, without_target};
use crate::template::{
    ast::{Command, Expression, Fields, Pipeline, Slot},
    error::Place,
    functions,
    lexer::Kind,
};

impl Parser<'_> {
    /// A pipeline that may begin with `$variable :=` or `$variable =`.
    pub(super) fn declaring_pipeline(&mut self, what: &str) -> Result<Pipeline, TemplateError> {
        let place = self.peek().place;
        let Kind::Variable(name) = self.peek().kind else {
            return self.pipeline(what).map(without_target);
        };
        let declares = match self.peek_at(1).kind {
            Kind::Declare => true,
            Kind::Assign => false,
            _ => return self.pipeline(what).map(without_target),
        };
        self.take();
        self.take();
        // The value is read first: it may use an outer variable of the same name.
        let commands = self.pipeline(what)?;
        let target = Some(self.target(name, declares, place)?);
        Ok(Pipeline { target, commands })
    }

    /// `pipeline`, `$element := pipeline` or `$index, $element := pipeline`.
    pub(super) fn range_pipeline(
        &mut self,
    ) -> Result<(Option<Slot>, Option<Slot>, Pipeline), TemplateError> {
        let Kind::Variable(first) = self.peek().kind else {
            return Ok((None, None, without_target(self.pipeline("range")?)));
        };
        let place = self.peek().place;
        let second = match (&self.peek_at(1).kind, &self.peek_at(2).kind) {
            (Kind::Declare | Kind::Assign, _) => None,
            (Kind::Comma, Kind::Variable(second)) => Some(*second),
            _ => return Ok((None, None, without_target(self.pipeline("range")?))),
        };
        self.next = self
            .next
            .saturating_add(if second.is_some() { 3 } else { 1 });
        let sign = self.take();
        let declares = match sign.kind {
            Kind::Declare => true,
            Kind::Assign => false,
            other => {
                let problem = format!("unexpected {} in `range`; expected `:=`", describe(&other));
                return Err(TemplateError::new(sign.place, problem));
            }
        };
        let over = without_target(self.pipeline("range")?);
        let first = self.target(first, declares, place)?;
        let Some(second) = second else {
            return Ok((None, Some(first), over));
        };
        let second = self.target(second, declares, place)?;
        Ok((Some(first), Some(second), over))
    }

    fn target(&mut self, name: &str, declares: bool, place: Place) -> Result<Slot, TemplateError> {
        if declares {
            return Ok(self.scope.declare(name));
        }
        self.variable(name, place)
    }

    fn variable(&self, name: &str, place: Place) -> Result<Slot, TemplateError> {
        self.scope.find(name).ok_or_else(|| {
            TemplateError::new(
                place,
                format!("undefined variable `{name}`; declare it with `:=`"),
            )
        })
    }

    /// Commands between `|`, up to a closing delimiter or parenthesis, which is left.
    fn pipeline(&mut self, what: &str) -> Result<Vec<Command>, TemplateError> {
        let mut commands = Vec::new();
        loop {
            let command = self.command(what, !commands.is_empty())?;
            commands.push(command);
            if self.peek().kind != Kind::Pipe {
                return Ok(commands);
            }
            self.take();
        }
    }

    fn command(&mut self, what: &str, piped: bool) -> Result<Command, TemplateError> {
        let place = self.peek().place;
        let head = self.operand(what)?;
        let mut arguments = Vec::new();
        while !matches!(
            self.peek().kind,
            Kind::Close | Kind::RightParen | Kind::Pipe
        ) {
            if !self.peek().spaced {
                return Err(self.unexpected(what));
            }
            arguments.push(self.argument(what)?);
        }
        match head {
            Expression::Function(function) => function.command(place, arguments, piped),
            Expression::Nil => Err(TemplateError::new(place, "`nil` is not a command")),
            Expression::Fields(_) => Ok(Command {
                place,
                head,
                arguments,
            }),
            _ if piped || !arguments.is_empty() => Err(TemplateError::new(
                place,
                "this is not a function and takes no arguments",
            )),
            _ => Ok(Command {
                place,
                head,
                arguments,
            }),
        }
    }

    /// An operand that is no command's head: a function there is called without arguments.
    fn argument(&mut self, what: &str) -> Result<Expression, TemplateError> {
        let place = self.peek().place;
        let operand = self.operand(what)?;
        if let Expression::Function(function) = operand {
            function
                .check_count(0)
                .map_err(|problem| TemplateError::new(place, problem))?;
        }
        Ok(operand)
    }

    /// A term, and the fields right behind it.
    fn operand(&mut self, what: &str) -> Result<Expression, TemplateError> {
        let place = self.peek().place;
        let base = self.term(what)?;
        let mut names: Vec<Box<str>> = Vec::new();
        while let Kind::Field(name) = self.peek().kind {
            if self.peek().spaced {
                break;
            }
            names.push(name.into());
            self.take();
        }
        match base {
            Expression::Fields(mut fields) => {
                fields.names.extend(names);
                Ok(Expression::Fields(fields))
            }
            base if names.is_empty() => Ok(base),
            base @ (Expression::Variable(_) | Expression::Pipeline(_)) => {
                Ok(Expression::Fields(Box::new(Fields { base, names })))
            }
            Expression::Function(function) => Err(TemplateError::new(
                place,
                format!(
                    "`{}` is a function; put it in parentheses to take a field of its result",
                    function.name
                ),
            )),
            _ => Err(TemplateError::new(place, "a literal has no fields")),
        }
    }

    fn term(&mut self, what: &str) -> Result<Expression, TemplateError> {
        let place = self.peek().place;
        let term = match &self.peek().kind {
            Kind::Identifier("nil") => Expression::Nil,
            Kind::Identifier("true") => Expression::Bool(true),
            Kind::Identifier("false") => Expression::Bool(false),
            Kind::Identifier(name) => Expression::Function(
                functions::find(name).map_err(|problem| TemplateError::new(place, problem))?,
            ),
            Kind::Dot => Expression::Dot,
            Kind::Field(name) => Expression::Fields(Box::new(Fields {
                base: Expression::Dot,
                names: vec![(*name).into()],
            })),
            Kind::Variable(name) => Expression::Variable(self.variable(name, place)?),
            Kind::Text(text) => Expression::Text(text.as_str().into()),
            Kind::Int(int) => Expression::Int(*int),
            Kind::Float(float) => Expression::Float(*float),
            Kind::LeftParen => {
                self.take();
                return self.deeper(place, |parser| parser.parenthesised(place));
            }
            _ => return Err(self.unexpected(what)),
        };
        self.take();
        Ok(term)
    }

    fn parenthesised(&mut self, opening: Place) -> Result<Expression, TemplateError> {
        let commands = self.pipeline("parentheses")?;
        if self.peek().kind != Kind::RightParen {
            return Err(TemplateError::new(
                opening,
                "the parenthesis has no end; close it with `)`",
            ));
        }
        self.take();
        Ok(Expression::Pipeline(Box::new(without_target(commands))))
    }

    fn unexpected(&self, what: &str) -> TemplateError {
        let token = self.peek();
        if token.kind == Kind::Close {
            return TemplateError::new(token.place, format!("`{what}` misses a value"));
        }
        TemplateError::new(
            token.place,
            format!("unexpected {} in `{what}`", describe(&token.kind)),
        )
    }
}
