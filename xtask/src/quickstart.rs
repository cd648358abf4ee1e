//! `envoy-config/quickstart`, made ready to run: the files of that folder with other ports if need
//! be, the module beside them, and the rules bundled into the file that Envoy watches.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::workspace::Workspace;

/// The rule files, as `gatepost rules bundle` is told them.
const RULES: [&str; 2] = ["rules.json", "pages.yaml"];

/// Where everything listens, always on 127.0.0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Envoy's listener.
    pub front: u16,
    /// Envoy's admin listener.
    pub admin: u16,
    /// The upstream.
    pub upstream: u16,
    /// The identity server's public listener.
    pub gatepost: u16,
}

/// The ports that the files name.
pub const PORTS: Ports = Ports {
    front: 8080,
    admin: 9901,
    upstream: 8081,
    gatepost: 4444,
};

/// A folder to start Envoy in.
#[derive(Clone, Debug)]
pub struct Quickstart {
    folder: PathBuf,
    gatepost: PathBuf,
    ports: Ports,
}

impl Quickstart {
    /// Writes the folder. `gatepost` is the binary that bundles rules.
    ///
    /// # Errors
    /// If a file cannot be read or written, or the rules cannot be bundled.
    pub fn prepare(
        workspace: &Workspace,
        folder: &Path,
        gatepost: &Path,
        ports: Ports,
    ) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let source = workspace.root.join("envoy-config/quickstart");
        for name in ["envoy.yaml", "access-rules.head.yaml", "oathkeeper.yaml"]
            .iter()
            .chain(&RULES)
        {
            let text = fs::read_to_string(source.join(name))
                .with_context(|| format!("cannot read `{}`", source.join(name).display()))?;
            fs::write(folder.join(name), with_ports(&text, ports))?;
        }
        let module = workspace.module("access_rules");
        fs::copy(&module, folder.join("access_rules.wasm")).with_context(|| {
            format!(
                "no module at `{}`: type `cargo xtask build`",
                module.display()
            )
        })?;
        let quickstart = Self {
            folder: folder.to_owned(),
            gatepost: gatepost.to_owned(),
            ports,
        };
        quickstart.apply()?;
        Ok(quickstart)
    }

    /// Bundles the rule files of the folder and moves the result to where Envoy watches.
    ///
    /// # Errors
    /// If the rules cannot be bundled or the file not be written.
    pub fn apply(&self) -> Result<()> {
        self.install(&self.bundle()?)
    }

    /// Moves a plugin configuration to where Envoy watches.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn install(&self, plugin_configuration: &str) -> Result<()> {
        let mut text = fs::read_to_string(self.folder.join("access-rules.head.yaml"))?;
        for line in plugin_configuration.lines() {
            text.push_str("            ");
            text.push_str(line);
            text.push('\n');
        }
        // Envoy reacts to a file that is moved into place, not to one being written.
        let half = self.folder.join("access-rules.yaml.new");
        fs::write(&half, text)?;
        Ok(fs::rename(half, self.folder.join("access-rules.yaml"))?)
    }

    /// The plugin configuration made of the folder's files.
    ///
    /// # Errors
    /// What `gatepost rules bundle` finds wrong with them.
    pub fn bundle(&self) -> Result<String> {
        let origin = format!("http://127.0.0.1:{}=gatepost", self.ports.gatepost);
        let mut bundle = Command::new(&self.gatepost);
        bundle
            .current_dir(&self.folder)
            .args(["rules", "bundle", "--config", "oathkeeper.yaml"]);
        bundle
            .args(["--cluster", &origin, "--decision-metadata"])
            .args(RULES);
        let output = bundle
            .output()
            .with_context(|| format!("cannot start `{}`", self.gatepost.display()))?;
        if !output.status.success() {
            bail!(
                "the rules cannot be bundled: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn with_ports(text: &str, ports: Ports) -> String {
    let pairs = [
        (PORTS.front, ports.front),
        (PORTS.admin, ports.admin),
        (PORTS.upstream, ports.upstream),
        (PORTS.gatepost, ports.gatepost),
    ];
    let words = pairs.iter().flat_map(|(from, to)| {
        [
            (format!("port_value: {from} "), format!("port_value: {to} ")),
            (format!("127.0.0.1:{from}"), format!("127.0.0.1:{to}")),
        ]
    });
    words.fold(text.to_owned(), |text, (from, to)| text.replace(&from, &to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_of_the_shipped_files_can_be_moved() {
        let ports = Ports {
            front: 1,
            admin: 2,
            upstream: 3,
            gatepost: 4,
        };
        let text = "port_value: 8080 } 127.0.0.1:4444/x port_value: 8081 } port_value: 9901 }";
        assert_eq!(
            with_ports(text, ports),
            "port_value: 1 } 127.0.0.1:4/x port_value: 3 } port_value: 2 }"
        );
    }
}
