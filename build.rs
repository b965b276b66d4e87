//! With a prebuilt DuckDB (`./x` sets `DUCKDB_LIB_DIR`), the binary and the tests find it where it lies.

fn main() {
    // Embedded folders: a file that is added to one is otherwise not noticed.
    println!("cargo:rerun-if-changed=mapping_packs");
    println!("cargo:rerun-if-changed=themes");
    println!("cargo:rerun-if-changed=fixtures/rules/windows");
    println!("cargo:rerun-if-changed=fixtures/run");
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    let bundled = std::env::var_os("CARGO_FEATURE_BUNDLED").is_some();
    if let (false, Ok(folder)) = (bundled, std::env::var("DUCKDB_LIB_DIR")) {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
