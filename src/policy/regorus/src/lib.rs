//! The C surface of src/policy/rego.h over regorus.
//!
//! Every entry point that runs the interpreter catches panics: a rule that makes it fail is an error of that rule. Strings
//! that go out are owned by the caller and given back to `rego_string_free`.

mod program;
mod reads;
mod visit;

use reads::Reads;
use regorus::rvm::program::Program;
use regorus::rvm::vm::VmError;
use regorus::rvm::RegoVM;
use regorus::unstable::{Expr, Rule, RuleHead};
use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};
use std::ffi::{c_char, c_int, c_uint, CStr, CString};
use std::num::NonZeroU32;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

pub struct RegoEngine {
    engine: Engine,
    program: Option<Arc<Program>>,
    machine: Option<RegoVM>, // made when it is first needed
}
pub struct RegoReads(Reads);
pub struct RegoValue(Value);

type Outcome<T> = Result<T, String>;

/// Steps between two looks at the clock.
const STEPS_PER_LOOK: NonZeroU32 = NonZeroU32::new(256).unwrap();

fn timer(limit_ms: c_uint) -> ExecutionTimerConfig {
    ExecutionTimerConfig { limit: Duration::from_millis(limit_ms.into()), check_interval: STEPS_PER_LOOK }
}

/// Borrowed text from C; NULL and invalid UTF-8 are errors.
unsafe fn text<'a>(pointer: *const c_char) -> Outcome<&'a str> {
    if pointer.is_null() {
        return Err("NULL text".into());
    }
    CStr::from_ptr(pointer).to_str().map_err(|e| e.to_string())
}

unsafe fn utf8<'a>(text: *const c_char, size: usize) -> Outcome<&'a str> {
    let bytes = if size == 0 { &[] } else { std::slice::from_raw_parts(text as *const u8, size) };
    std::str::from_utf8(bytes).map_err(|e| e.to_string())
}

fn to_c(text: String) -> *mut c_char {
    CString::new(text.replace('\0', " ")).unwrap_or_default().into_raw()
}

/// Runs `work`; on an error or a panic writes its text to `error` and gives `None`.
unsafe fn guarded<T>(error: *mut *mut c_char, work: impl FnOnce() -> Outcome<T>) -> Option<T> {
    let outcome = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("the Rego interpreter panicked".into()));
    match outcome {
        Ok(value) => Some(value),
        Err(message) => {
            if !error.is_null() {
                *error = to_c(message);
            }
            None
        }
    }
}

fn json(value: &Value) -> Outcome<String> {
    if *value == Value::Undefined {
        return Ok(String::new());
    }
    serde_json::to_string(value).map_err(|e| e.to_string())
}

unsafe fn input_of(value: *const RegoValue) -> Value {
    value.as_ref().map_or(Value::Undefined, |v| v.0.clone())
}

// ---- values ------------------------------------------------------------------------------------------------

#[no_mangle]
pub unsafe extern "C" fn rego_value_parse(json: *const c_char, size: usize, error: *mut *mut c_char) -> *mut RegoValue {
    guarded(error, || Value::from_json_str(utf8(json, size)?).map_err(|e| format!("{e:#}")))
    .map_or(std::ptr::null_mut(), |value| Box::into_raw(Box::new(RegoValue(value))))
}

#[no_mangle]
pub unsafe extern "C" fn rego_value_free(value: *mut RegoValue) {
    if !value.is_null() {
        drop(Box::from_raw(value));
    }
}

#[no_mangle]
pub unsafe extern "C" fn rego_value_is_object(value: *const RegoValue) -> c_int {
    (*value).0.as_object().is_ok().into()
}

#[no_mangle]
pub unsafe extern "C" fn rego_value_is_null(value: *const RegoValue) -> c_int {
    ((*value).0 == Value::Null).into()
}

/// The member of an object, a reference of its own, or NULL.
#[no_mangle]
pub unsafe extern "C" fn rego_value_member(value: *const RegoValue, name: *const c_char) -> *mut RegoValue {
    let member = || Some((*value).0.as_object().ok()?.get(&Value::from(text(name).ok()?))?.clone());
    member().map_or(std::ptr::null_mut(), |found| Box::into_raw(Box::new(RegoValue(found))))
}

/// An object with the members of both; those of `own` count where both have one. A value that is no object is left as it is.
#[no_mangle]
pub unsafe extern "C" fn rego_value_merge(common: *const RegoValue, own: *const RegoValue) -> *mut RegoValue {
    let merged = match ((*common).0.as_object(), (*own).0.as_object()) {
        (Ok(common), Ok(own)) => {
            let mut merged = Value::new_object();
            if let Ok(members) = merged.as_object_mut() {
                for (name, member) in common.iter().chain(own.iter()) {
                    members.insert(name.clone(), member.clone());
                }
            }
            merged
        }
        _ => (*own).0.clone(),
    };
    Box::into_raw(Box::new(RegoValue(merged)))
}

/// Calls `each` with the name and the value of every member of an object.
#[no_mangle]
pub unsafe extern "C" fn rego_value_each(
    value: *const RegoValue,
    each: extern "C" fn(*const c_char, *const RegoValue, *mut std::ffi::c_void),
    user_data: *mut std::ffi::c_void,
) {
    let Ok(object) = (*value).0.as_object() else { return };
    for (name, member) in object.iter() {
        let name = name.as_string().map(|s| s.to_string()).unwrap_or_default();
        let name = CString::new(name.replace('\0', " ")).unwrap_or_default();
        each(name.as_ptr(), &RegoValue(member.clone()), user_data);
    }
}

// ---- requests ----------------------------------------------------------------------------------------------

#[no_mangle]
pub unsafe extern "C" fn rego_reads_new(engine: *mut RegoEngine) -> *mut RegoReads {
    let modules = (*engine).engine.get_modules().iter().map(AsRef::as_ref);
    Box::into_raw(Box::new(RegoReads(Reads::of(modules).of_request())))
}

#[no_mangle]
pub unsafe extern "C" fn rego_reads_free(reads: *mut RegoReads) {
    if !reads.is_null() {
        drop(Box::from_raw(reads));
    }
}

#[no_mangle]
pub unsafe extern "C" fn rego_reads_parse(
    reads: *const RegoReads,
    json: *const c_char,
    size: usize,
    error: *mut *mut c_char,
) -> *mut RegoValue {
    guarded(error, || (*reads).0.parse(utf8(json, size)?))
        .map_or(std::ptr::null_mut(), |value| Box::into_raw(Box::new(RegoValue(value))))
}

// ---- parsed policies ---------------------------------------------------------------------------------------

#[no_mangle]
pub extern "C" fn rego_engine_new() -> *mut RegoEngine {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(false); // as OPA: what a builtin cannot do is undefined
    Box::into_raw(Box::new(RegoEngine { engine, program: None, machine: None }))
}

#[no_mangle]
pub unsafe extern "C" fn rego_engine_clone(engine: *const RegoEngine) -> *mut RegoEngine {
    Box::into_raw(Box::new(RegoEngine { engine: (*engine).engine.clone(), program: (*engine).program.clone(), machine: None }))
}

#[no_mangle]
pub unsafe extern "C" fn rego_engine_free(engine: *mut RegoEngine) {
    if !engine.is_null() {
        drop(Box::from_raw(engine));
    }
}

/// Adds one policy file and gives its package ("data.io.konveyor.forklift.vmware"), or NULL.
#[no_mangle]
pub unsafe extern "C" fn rego_engine_add(
    engine: *mut RegoEngine,
    path: *const c_char,
    policy: *const c_char,
    v0: c_int,
    error: *mut *mut c_char,
) -> *mut c_char {
    guarded(error, || {
        let (path, policy) = (text(path)?, text(policy)?);
        let engine = &mut (*engine).engine;
        engine.set_rego_v0(v0 != 0);
        engine
            .add_policy(path.to_string(), policy.to_string())
            .map_err(|e| format!("{e:#}"))
    })
    .map_or(std::ptr::null_mut(), to_c)
}

/// What a rule is called and what kind of document it makes.
fn describe(rule: &Rule) -> (&Expr, &'static str) {
    match rule {
        Rule::Default { refr, .. } => (refr, "default"),
        Rule::Spec { head: RuleHead::Func { refr, .. }, .. } => (refr, "function"),
        Rule::Spec { head: RuleHead::Set { refr, .. }, .. } => (refr, "set"),
        Rule::Spec { head: RuleHead::Compr { refr, .. }, .. } => match refr.as_ref() {
            Expr::RefBrack { .. } => (refr, "object"),
            _ => (refr, "value"),
        },
    }
}

/// The name without what stands in brackets: "concerns" of "concerns[flag]".
fn name_of(refr: &Expr) -> &str {
    match refr {
        Expr::RefBrack { refr, .. } => name_of(refr),
        other => other.span().text(),
    }
}

#[no_mangle]
pub unsafe extern "C" fn rego_engine_each_rule(
    engine: *mut RegoEngine,
    each: extern "C" fn(*const c_char, c_uint, *const c_char, *const c_char, *const c_char, *mut std::ffi::c_void),
    user_data: *mut std::ffi::c_void,
) {
    for module in (*engine).engine.get_modules() {
        let package = to_c(module.package.refr.span().text().to_string());
        for rule in &module.policy {
            let (refr, kind) = describe(rule);
            let file = to_c(refr.span().source.file().clone());
            let (name, kind) = (to_c(name_of(refr).to_string()), to_c(kind.to_string()));
            each(file, refr.span().line, package, name, kind, user_data);
            for string in [file, name, kind] {
                drop(CString::from_raw(string));
            }
        }
        drop(CString::from_raw(package));
    }
}

/// Makes a program with the rules ("data.a.b.rule") as entries; FALSE where that cannot be.
#[no_mangle]
pub unsafe extern "C" fn rego_engine_compile(engine: *mut RegoEngine, rules: *const *const c_char, len: c_uint) -> c_int {
    let mut error = std::ptr::null_mut();
    let program = guarded(&mut error, || {
        let rules = if len == 0 { &[] } else { std::slice::from_raw_parts(rules, len as usize) };
        let names = rules.iter().map(|rule| text(*rule)).collect::<Outcome<Vec<_>>>()?;
        program::compile(&mut (*engine).engine, &names).ok_or_else(String::new)
    });
    rego_string_free(error);
    (*engine).program = program;
    (*engine).program.is_some().into()
}

fn new_machine(program: &Arc<Program>) -> RegoVM {
    let mut machine = RegoVM::new();
    machine.set_max_instructions(usize::MAX); // time and memory are bounded instead
    machine.load_program(program.clone());
    machine
}

impl RegoEngine {
    /// The value of a rule by its program; None: there is none, or the rule fails in it.
    fn run_program(&mut self, rule: &str, input: Value, limit_ms: c_uint) -> Option<Outcome<Value>> {
        let program = self.program.as_ref()?;
        program.get_entry_point(rule)?;
        let machine = self.machine.get_or_insert_with(|| new_machine(program));
        machine.set_execution_timer_config(Some(timer(limit_ms)));
        machine.set_input(input);
        let value = machine.execute_entry_point_by_name(rule);
        machine.set_input(Value::Undefined);
        match value {
            Ok(value) => Some(Ok(value)),
            Err(error @ (VmError::TimeLimitExceeded { .. } | VmError::MemoryLimitExceeded { .. })) => Some(Err(error.to_string())),
            Err(_) => {
                self.machine = None; // it may be half-way through
                None
            }
        }
    }
}

/// Evaluates one rule ("data.a.b.rule") over `input` (may be NULL); gives its value as JSON, "" when undefined, NULL on error.
#[no_mangle]
pub unsafe extern "C" fn rego_engine_rule(
    engine: *mut RegoEngine,
    rule: *const c_char,
    input: *const RegoValue,
    limit_ms: c_uint,
    error: *mut *mut c_char,
) -> *mut c_char {
    guarded(error, || {
        let rule = text(rule)?;
        if let Some(value) = (*engine).run_program(rule, input_of(input), limit_ms) {
            return json(&value?);
        }
        let engine = &mut (*engine).engine;
        engine.set_execution_timer_config(timer(limit_ms));
        engine.set_input(input_of(input));
        let value = engine.eval_rule(rule.to_string());
        engine.set_input(Value::Undefined);
        json(&value.map_err(|e| format!("{e:#}"))?)
    })
    .map_or(std::ptr::null_mut(), to_c)
}

/// The value at `path` below a document.
fn below<'a>(document: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(document, |at, name| at.as_object().ok()?.get(&Value::from(*name)))
}

/// Evaluates each definition of the rule `name` of `package` ("io.konveyor.forklift.vmware") by itself and calls `each` with its
/// file, its line, its value (JSON, or NULL) and its error (or NULL).
#[no_mangle]
pub unsafe extern "C" fn rego_engine_each_definition(
    engine: *mut RegoEngine,
    package: *const c_char,
    name: *const c_char,
    input: *const RegoValue,
    limit_ms: c_uint,
    each: extern "C" fn(*const c_char, c_uint, *const c_char, *const c_char, *mut std::ffi::c_void),
    user_data: *mut std::ffi::c_void,
) {
    let (Ok(package), Ok(name)) = (text(package), text(name)) else { return };
    let path: Vec<&str> = package.split('.').chain([name]).collect();
    let modules = (*engine).engine.get_modules().clone();
    for module in modules.iter().filter(|module| module.package.refr.span().text() == package) {
        for rule in module.policy.iter().filter(|rule| name_of(describe(rule).0) == name) {
            let mut error = std::ptr::null_mut();
            // A clone: what one definition leaves behind is not to be seen by the next.
            let mut alone = (*engine).engine.clone();
            let value = guarded(&mut error, || {
                alone.set_execution_timer_config(timer(limit_ms));
                alone.set_input(input_of(input));
                let data = alone.eval_rule_in_module(module, rule, false).map_err(|e| format!("{e:#}"))?;
                below(&data, &path).map_or(Ok(String::new()), json)
            })
            .map_or(std::ptr::null_mut(), to_c);
            let span = describe(rule).0.span();
            let file = to_c(span.source.file().clone());
            each(file, span.line, value, error, user_data);
            for string in [file, value, error].into_iter().filter(|string| !string.is_null()) {
                drop(CString::from_raw(string));
            }
        }
    }
}

// ---- all together ------------------------------------------------------------------------------------------

/// The most that all evaluations of the process together may hold; builtins look at it while they build large values.
#[no_mangle]
pub extern "C" fn rego_limit_memory(bytes: u64) {
    regorus::set_global_memory_limit(Some(bytes));
}

#[no_mangle]
pub unsafe extern "C" fn rego_string_free(string: *mut c_char) {
    if !string.is_null() {
        drop(CString::from_raw(string));
    }
}
