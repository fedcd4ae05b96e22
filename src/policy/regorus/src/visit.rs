//! A walk over parsed policies: every expression and every statement of a body, wherever it stands.
//!
//! What is still to be seen is kept in a list, not on the stack: a policy may be nested as deep as its author likes.

use regorus::unstable::{Expr, Literal, LiteralStmt, Module, Query, Rule, RuleAssign, RuleHead};

pub trait Visitor {
    /// FALSE: what is below the expression is of no interest.
    fn expression(&mut self, expression: &Expr) -> bool;
    fn statement(&mut self, statement: &LiteralStmt);
}

#[derive(Default)]
struct ToSee<'a> {
    expressions: Vec<&'a Expr>,
    queries: Vec<&'a Query>,
}

impl<'a> ToSee<'a> {
    fn rule(&mut self, rule: &'a Rule) {
        match rule {
            Rule::Default { args, value, .. } => {
                self.expressions.extend(args.iter().map(AsRef::as_ref));
                self.expressions.push(value);
            }
            Rule::Spec { head, bodies, .. } => {
                self.head(head);
                for body in bodies {
                    self.assigned(&body.assign);
                    self.queries.push(&body.query);
                }
            }
        }
    }

    fn head(&mut self, head: &'a RuleHead) {
        match head {
            RuleHead::Compr { refr, assign, .. } => {
                self.expressions.push(refr);
                self.assigned(assign);
            }
            RuleHead::Set { refr, key, .. } => {
                self.expressions.push(refr);
                self.expressions.extend(key.iter().map(AsRef::as_ref));
            }
            RuleHead::Func { args, assign, .. } => {
                self.expressions.extend(args.iter().map(AsRef::as_ref));
                self.assigned(assign);
            }
        }
    }

    fn assigned(&mut self, assign: &'a Option<RuleAssign>) {
        self.expressions.extend(assign.iter().map(|assign| assign.value.as_ref()));
    }

    fn statement(&mut self, statement: &'a LiteralStmt) {
        for with in &statement.with_mods {
            self.expressions.extend([with.refr.as_ref(), with.r#as.as_ref()]);
        }
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { key, value, collection, .. } => {
                self.expressions.extend(key.iter().map(AsRef::as_ref));
                self.expressions.extend([value.as_ref(), collection.as_ref()]);
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expressions.push(expr),
            Literal::Every { domain, query, .. } => {
                self.expressions.push(domain);
                self.queries.push(query);
            }
        }
    }

    fn below(&mut self, expression: &'a Expr) {
        match expression {
            Expr::String { .. } | Expr::RawString { .. } | Expr::Number { .. } | Expr::Bool { .. } | Expr::Null { .. } | Expr::Var { .. } => {}
            Expr::Array { items, .. } | Expr::Set { items, .. } => self.expressions.extend(items.iter().map(AsRef::as_ref)),
            Expr::Object { fields, .. } => {
                for (_, key, value) in fields {
                    self.expressions.extend([key.as_ref(), value.as_ref()]);
                }
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expressions.push(term);
                self.queries.push(query);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.expressions.extend([key.as_ref(), value.as_ref()]);
                self.queries.push(query);
            }
            Expr::Call { fcn, params, .. } => {
                self.expressions.push(fcn);
                self.expressions.extend(params.iter().map(AsRef::as_ref));
            }
            Expr::UnaryExpr { expr, .. } => self.expressions.push(expr),
            Expr::RefDot { refr, .. } => self.expressions.push(refr),
            Expr::RefBrack { refr, index, .. } => self.expressions.extend([refr.as_ref(), index.as_ref()]),
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. }
            | Expr::AssignExpr { lhs, rhs, .. } => self.expressions.extend([lhs.as_ref(), rhs.as_ref()]),
            Expr::Membership { key, value, collection, .. } => {
                self.expressions.extend(key.iter().map(AsRef::as_ref));
                self.expressions.extend([value.as_ref(), collection.as_ref()]);
            }
        }
    }
}

pub fn walk(module: &Module, visitor: &mut dyn Visitor) {
    let mut to_see = ToSee::default();

    for rule in &module.policy {
        to_see.rule(rule);
    }
    loop {
        if let Some(expression) = to_see.expressions.pop() {
            if visitor.expression(expression) {
                to_see.below(expression);
            }
        } else if let Some(query) = to_see.queries.pop() {
            for statement in &query.stmts {
                visitor.statement(statement);
                to_see.statement(statement);
            }
        } else {
            return;
        }
    }
}
