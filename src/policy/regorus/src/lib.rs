//! The C surface of src/policy/rego.h over regorus.
//!
//! Every entry point catches panics: a rule that makes the interpreter fail is an error of that rule. Strings that go out
//! are owned by the caller and given back to `rego_string_free`.

use std::ffi::{c_char, c_int, CStr, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};

pub struct RegoEngine(regorus::Engine);

type Outcome<T> = Result<T, String>;

/// Borrowed text from C; NULL and invalid UTF-8 are errors.
unsafe fn text<'a>(pointer: *const c_char) -> Outcome<&'a str> {
    if pointer.is_null() {
        return Err("NULL text".into());
    }
    CStr::from_ptr(pointer).to_str().map_err(|e| e.to_string())
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

#[no_mangle]
pub extern "C" fn rego_engine_new() -> *mut RegoEngine {
    Box::into_raw(Box::new(RegoEngine(regorus::Engine::new())))
}

#[no_mangle]
pub unsafe extern "C" fn rego_engine_clone(engine: *const RegoEngine) -> *mut RegoEngine {
    Box::into_raw(Box::new(RegoEngine((*engine).0.clone())))
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
        let engine = &mut (*engine).0;
        engine.set_rego_v0(v0 != 0);
        engine
            .add_policy(path.to_string(), policy.to_string())
            .map_err(|e| format!("{e:#}"))
    })
    .map_or(std::ptr::null_mut(), to_c)
}

/// Evaluates one rule ("data.a.b.rule") over `input` (JSON); gives its value as JSON, "" when undefined, NULL on error.
#[no_mangle]
pub unsafe extern "C" fn rego_engine_eval(
    engine: *mut RegoEngine,
    input: *const c_char,
    rule: *const c_char,
    error: *mut *mut c_char,
) -> *mut c_char {
    guarded(error, || {
        let engine = &mut (*engine).0;
        let input = regorus::Value::from_json_str(text(input)?).map_err(|e| format!("{e:#}"))?;
        engine.set_input(input);
        let value = engine.eval_rule(text(rule)?.to_string()).map_err(|e| format!("{e:#}"))?;
        if value == regorus::Value::Undefined {
            return Ok(String::new());
        }
        value.to_json_str().map_err(|e| format!("{e:#}"))
    })
    .map_or(std::ptr::null_mut(), to_c)
}

#[no_mangle]
pub unsafe extern "C" fn rego_string_free(string: *mut c_char) {
    if !string.is_null() {
        drop(CString::from_raw(string));
    }
}
