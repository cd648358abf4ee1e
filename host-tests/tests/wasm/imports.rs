//! What the built modules ask of a host, and what they tell about who built them.

use std::{collections::BTreeSet, env, fs};

use host_tests::module;
use xtask::{
    build::{self, MODULES},
    workspace::Workspace,
};

/// The functions of proxy-wasm ABI 0.2.1 that the SDK declares. Envoy (proxy-wasm-cpp-host) and ngx_wasm offer each
/// of them, be it as one that fails when called. What they have beyond these, edges need not have.
const ABI: [&str; 36] = [
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_close_stream",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_metric",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_resolve_shared_queue",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

/// The part of WASI (preview 1) that Envoy and ngx_wasm share and that gives access to nothing: no files, no sockets,
/// no arguments.
const WASI: [&str; 6] = [
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

#[test]
fn modules_ask_for_no_more_than_every_host_offers() {
    for shipped in MODULES {
        let (_, module) = module::built(shipped.package);
        let mut asked = 0;
        for import in module.imports() {
            let offered: &[&str] = match import.module() {
                "env" => &ABI,
                "wasi_snapshot_preview1" => &WASI,
                other => panic!("{}: imports from `{other}`", shipped.package),
            };
            assert!(
                offered.contains(&import.name()) && import.ty().func().is_some(),
                "{}: `{}.{}` is not offered everywhere",
                shipped.package,
                import.module(),
                import.name()
            );
            asked += 1;
        }
        assert!(asked > 0, "{}", shipped.package);
    }
}

/// Hosts find out by a name which version of the ABI a module speaks, and start it by another.
#[test]
fn modules_say_that_they_speak_abi_0_2_1() {
    for shipped in MODULES {
        let (_, module) = module::built(shipped.package);
        let exports: BTreeSet<_> = module.exports().map(|export| export.name()).collect();
        let versions: Vec<_> = exports
            .iter()
            .filter(|name| name.starts_with("proxy_abi_version"))
            .collect();
        assert_eq!(
            versions,
            [&"proxy_abi_version_0_2_1"],
            "{}",
            shipped.package
        );
        for name in ["_initialize", "memory", "proxy_on_memory_allocate"] {
            assert!(exports.contains(name), "{}: no `{name}`", shipped.package);
        }
    }
}

/// The paths of a machine would make every machine's module another one, and tell whose it is.
#[test]
fn modules_know_nothing_of_the_machine_that_built_them() {
    let workspace = Workspace::locate().unwrap();
    let mut private = vec![workspace.root.clone(), workspace.target.clone()];
    private.extend(env::home_dir());
    private.extend(env::var_os("CARGO_HOME").map(Into::into));
    for shipped in MODULES {
        let wasm = fs::read(build::module(&workspace, shipped.package).unwrap()).unwrap();
        for path in &private {
            let path = format!("{}/", path.to_str().unwrap().trim_end_matches('/'));
            let found = wasm
                .windows(path.len())
                .any(|bytes| bytes == path.as_bytes());
            assert!(!found, "{}: `{path}` is in it", shipped.package);
        }
    }
}
