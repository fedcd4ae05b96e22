//! Rules as programs of the interpreter's virtual machine, which runs them several times as fast as their syntax trees.
//!
//! The machine (0.14.1) takes "x := y" as true also where y is undefined. So it is given the policies with a question after each
//! such statement: "x := y; _ = x", which fails then. What it cannot be given, rules that use "with" or assign to patterns or to _, is
//! left to the syntax trees, as is every document at which a program fails.

use crate::visit::{walk, Visitor};
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::program::Program;
use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Module};
use regorus::{Engine, Rc};
use std::sync::Arc;

/// Where to insert what, in the order in which the walk meets them.
#[derive(Default)]
struct Questions {
    found: Vec<(usize, String)>,
    assignments: usize,
}

impl Visitor for Questions {
    fn expression(&mut self, expression: &Expr) -> bool {
        self.assignments += usize::from(matches!(expression, Expr::AssignExpr { op: AssignOp::ColEq, .. }));
        true
    }

    fn statement(&mut self, statement: &LiteralStmt) {
        let Literal::Expr { expr, .. } = &statement.literal else { return };
        let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = expr.as_ref() else { return };
        let Expr::Var { span, .. } = lhs.as_ref() else { return };
        if statement.with_mods.is_empty() && span.text() != "_" {
            self.found.push((expr.span().end as usize, format!("; _ = {}", span.text())));
        }
    }
}

/// The text with a question after each assignment, or None where one cannot be asked.
fn questioned(module: &Module) -> Option<String> {
    let mut questions = Questions::default();
    walk(module, &mut questions);
    if questions.assignments != questions.found.len() {
        return None;
    }
    questions.found.sort();
    let mut text = module.package.refr.span().source.contents().to_string();
    for (at, question) in questions.found.iter().rev() {
        if !text.is_char_boundary(*at) {
            return None;
        }
        text.insert_str(*at, question);
    }
    Some(text)
}

/// A program with these rules ("data.a.b.rule") as its entries, or None where the machine cannot be trusted with them.
pub fn compile(engine: &mut Engine, rules: &[&str]) -> Option<Arc<Program>> {
    let mut other = Engine::new();
    let first: Rc<str> = (*rules.first()?).into();

    for module in engine.get_modules() {
        other.set_rego_v0(!module.rego_v1);
        let file = module.package.refr.span().source.file().clone();
        other.add_policy(file, questioned(module)?).ok()?;
    }
    let policy = other.compile_with_entrypoint(&first).ok()?;
    Compiler::compile_from_policy(&policy, rules).ok()
}
