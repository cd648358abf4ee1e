//! What is equal, and what comes before what.

use std::cmp::Ordering;

use super::{
    super::{
        fault::Fault,
        number,
        program::Comparison,
        value::{Map, Value},
    },
    Evaluation, extent,
};

impl<'v> Evaluation<'_, 'v> {
    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        left: &Value<'v>,
        right: &Value<'v>,
    ) -> Result<bool, Fault> {
        match comparison {
            Comparison::Equal => return self.is_equal(left, right),
            Comparison::NotEqual => return Ok(!self.is_equal(left, right)?),
            _ => {}
        }
        let order = match (left, right) {
            (Value::Text(left), Value::Text(right)) => {
                self.pay_text(left.len().min(right.len()))?;
                Some(left.cmp(right))
            }
            (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
            (
                Value::Int(_) | Value::Uint(_) | Value::Double(_),
                Value::Int(_) | Value::Uint(_) | Value::Double(_),
            ) => number::compare(left, right),
            _ => return Err(Fault::not_for_both(comparison.sign(), left, right)),
        };
        // Nothing is less or greater than what is not a number.
        Ok(order.is_some_and(|order| match comparison {
            Comparison::Less => order == Ordering::Less,
            Comparison::LessOrEqual => order != Ordering::Greater,
            Comparison::Greater => order == Ordering::Greater,
            _ => order != Ordering::Less,
        }))
    }

    /// Values of different kinds are not equal; numbers are, where they stand for the same.
    pub(super) fn is_equal(&mut self, left: &Value<'v>, right: &Value<'v>) -> Result<bool, Fault> {
        self.pay(1)?;
        self.pay_text(extent(left).saturating_add(extent(right)))?;
        match (left, right) {
            (Value::Null, Value::Null) => Ok(true),
            (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
            (Value::Text(left), Value::Text(right)) => Ok(left == right),
            (Value::List(left), Value::List(right)) => {
                if left.len() != right.len() {
                    return Ok(false);
                }
                for (left, right) in left.iter().zip(right.iter()) {
                    if !self.is_equal(&left, &right)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Map(left), Value::Map(right)) => self.are_equal_maps(left, right),
            (left, right) => Ok(number::compare(left, right) == Some(Ordering::Equal)),
        }
    }

    fn are_equal_maps(&mut self, left: &Map<'v>, right: &Map<'v>) -> Result<bool, Fault> {
        let (keys, others) = (self.keys(left)?, self.keys(right)?);
        if keys.len() != others.len() {
            return Ok(false);
        }
        for key in &keys {
            self.pay_text(left.extent().saturating_add(right.extent()))?;
            let is_same = match (left.at(key)?, right.at(key)?) {
                (Some(left), Some(right)) => self.is_equal(&left, &right)?,
                _ => false,
            };
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn keys(&mut self, map: &Map<'v>) -> Result<Vec<Value<'v>>, Fault> {
        self.pay(match map {
            Map::Json(map) => map.len(),
            // No key of theirs is shorter than a byte.
            other => other.extent(),
        })?;
        Ok(map.keys())
    }
}
