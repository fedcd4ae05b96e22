//! What of the input the rules read, and a reader of JSON that makes values of that part only.
//!
//! A VM's document holds its host and cluster, and concerns of the last time; a rule looks at a few members. Members that no
//! rule names are skipped where they stand in the text, which costs a fraction of making values of them.

use crate::visit::{walk, Visitor};
use regorus::unstable::{Expr, LiteralStmt, Module, Ref};
use regorus::Value;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The part of a value that is read.
#[derive(Clone)]
pub enum Reads {
    Whole,
    Members(BTreeMap<String, Reads>),
    Each(Box<Reads>), // that part of every member
}

// ---- what rules read ---------------------------------------------------------------------------------------

/// The members' names from `input` to the expression: ["host", "name"] of input.host["name"].
fn path_of(expression: &Expr) -> Option<Vec<&str>> {
    let (mut path, mut at) = (Vec::new(), expression);
    loop {
        match at {
            Expr::Var { span, .. } if span.text() == "input" => {
                path.reverse();
                return Some(path);
            }
            Expr::RefDot { refr, field, .. } => {
                path.push(text_of(&field.1)?);
                at = refr;
            }
            Expr::RefBrack { refr, index, .. } => {
                path.push(literal(index)?);
                at = refr;
            }
            _ => return None,
        }
    }
}

fn text_of(value: &Value) -> Option<&str> {
    value.as_string().ok().map(AsRef::as_ref)
}

fn literal(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::String { value, .. } | Expr::RawString { value, .. } => text_of(value),
        _ => None,
    }
}

impl Reads {
    fn nothing() -> Reads {
        Reads::Members(BTreeMap::new())
    }

    fn add(&mut self, path: &[&str]) {
        let mut at = self;
        for name in path {
            match at {
                Reads::Members(members) => at = members.entry(name.to_string()).or_insert_with(Reads::nothing),
                _ => return, // of what is read whole already
            }
        }
        *at = Reads::Whole;
    }

    /// object.get(input…, "name", CONSTANT) reads that member only. FALSE: it is another call.
    fn add_get(&mut self, function: &Expr, parameters: &[Ref<Expr>]) -> bool {
        let [object, key, default] = parameters else { return false };
        let (Some(mut path), Some(key), "object.get") = (path_of(object), literal(key), function.span().text()) else {
            return false;
        };
        let constant = matches!(default.as_ref(), Expr::String { .. } | Expr::Number { .. } | Expr::Bool { .. } | Expr::Null { .. });
        if constant {
            path.push(key);
            self.add(&path);
        }
        constant
    }

    /// All that the rules of these policies read of their input.
    pub fn of<'a>(modules: impl Iterator<Item = &'a Module>) -> Reads {
        let mut reads = Reads::nothing();
        for module in modules {
            if module.imports.iter().any(|import| path_of(&import.refr).is_some()) {
                reads = Reads::Whole; // under a name of its own
            }
            walk(module, &mut reads);
        }
        reads
    }

    /// That part of a request's body: {"input": …}, or {"inputs": {NAME: …}, "common_input": …}.
    pub fn of_request(self) -> Reads {
        let members = [("inputs", Reads::Each(Box::new(self.clone()))), ("common_input", self.clone()), ("input", self)];
        Reads::Members(members.into_iter().map(|(name, part)| (name.to_string(), part)).collect())
    }

    fn member(&self, name: &str) -> Option<&Reads> {
        match self {
            Reads::Whole => Some(self),
            Reads::Each(part) => Some(part),
            Reads::Members(members) => members.get(name),
        }
    }

    /// The value of JSON text as far as it is read.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let mut json = serde_json::Deserializer::from_str(text);
        let value = self.deserialize(&mut json).map_err(|e| e.to_string())?;
        json.end().map_err(|e| e.to_string())?;
        Ok(value)
    }
}

impl Visitor for Reads {
    fn expression(&mut self, expression: &Expr) -> bool {
        if let Some(path) = path_of(expression) {
            self.add(&path);
            return false;
        }
        !matches!(expression, Expr::Call { fcn, params, .. } if self.add_get(fcn, params))
    }

    fn statement(&mut self, _: &LiteralStmt) {}
}

// ---- reading JSON ------------------------------------------------------------------------------------------

impl<'de> DeserializeSeed<'de> for &Reads {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        match self {
            Reads::Whole => Value::deserialize(json),
            _ => json.deserialize_any(self),
        }
    }
}

/// Of an object the members that are read; of everything else all.
impl<'de> serde::de::Visitor<'de> for &Reads {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("JSON")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Value::deserialize(value.into_deserializer())
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Value::deserialize(value.into_deserializer())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Value::deserialize(value.into_deserializer())
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Value::deserialize(value.into_deserializer())
    }
    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Value::deserialize(value.into_deserializer())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            match self.member(&name) {
                Some(part) => read.insert(Value::from(name), members.next_value_seed(part)?),
                None => members.next_value::<IgnoredAny>().map(|_| None)?,
            };
        }
        Ok(Value::from(read))
    }
}
