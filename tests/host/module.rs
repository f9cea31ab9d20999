//! The module, compiled once a process.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use wasmi::{CompilationMode, Config, Engine, Error};

/// A module that was compiled.
#[derive(Clone)]
pub struct Module {
    pub(crate) compiled: wasmi::Module,
    /// Bytes of its file.
    pub size: usize,
}

impl std::fmt::Debug for Module {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "Module of {} bytes", self.size)
    }
}

impl Module {
    /// Compiles a module.
    ///
    /// # Errors
    /// There is no file, or it is no module.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|error| Error::new(format!("{}: {error}", path.display())))?;
        Ok(Self { compiled: wasmi::Module::new(engine(), &bytes)?, size: bytes.len() })
    }

    /// The module that Envoy loads: what `make wasm` builds.
    ///
    /// # Errors
    /// It was not built.
    pub fn full() -> Result<Self, Error> {
        static MODULE: OnceLock<Module> = OnceLock::new();
        Self::built(&MODULE, "azeotrope.wasm")
    }

    /// The module for CDN edges: what `make wasm-edge` builds.
    ///
    /// # Errors
    /// It was not built.
    pub fn edge() -> Result<Self, Error> {
        static MODULE: OnceLock<Module> = OnceLock::new();
        Self::built(&MODULE, "azeotrope-edge.wasm")
    }

    fn built(kept: &OnceLock<Self>, name: &str) -> Result<Self, Error> {
        if let Some(module) = kept.get() {
            return Ok(module.clone());
        }
        let target = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target");
        Ok(kept
            .get_or_init(|| Self::load(&target.join(name)).expect("`make wasm wasm-edge` builds the modules"))
            .clone())
    }

    /// What it needs of a host: names of `env`, sorted.
    #[must_use]
    pub fn imports(&self) -> Vec<String> {
        let needed = self.compiled.imports().filter(|import| import.module() == "env");
        let mut names: Vec<_> = needed.map(|import| import.name().to_owned()).collect();
        names.sort();
        names
    }
}

/// The engine that all modules share. Fuel counts the instructions of a callback; what is translated before it runs costs
/// none.
pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let mut config = Config::default();
        config.consume_fuel(true).compilation_mode(CompilationMode::Eager);
        Engine::new(&config)
    })
}
