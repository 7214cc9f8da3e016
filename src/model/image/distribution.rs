//! Distributions, as far as they tell commands apart.

use serde::Deserialize;

use super::facts;

/// A distribution of Linux, or what stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Distribution {
    Debian,
    Ubuntu,
    Alpine,
    Centos,
    Rocky,
    Alma,
    /// Red Hat's universal base images.
    Rhel,
    Fedora,
    /// Amazon Linux.
    Amazon,
    /// Oracle Linux.
    Oracle,
    Opensuse,
    Arch,
    Photon,
    /// Azure Linux and CBL-Mariner.
    Azure,
    Busybox,
    /// No shell and no package manager.
    Distroless,
    Windows,
    /// The empty image.
    Scratch,
}

impl Distribution {
    /// The name as rules write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ubuntu => "ubuntu",
            Self::Alpine => "alpine",
            Self::Centos => "centos",
            Self::Rocky => "rocky",
            Self::Alma => "alma",
            Self::Rhel => "rhel",
            Self::Fedora => "fedora",
            Self::Amazon => "amazon",
            Self::Oracle => "oracle",
            Self::Opensuse => "opensuse",
            Self::Arch => "arch",
            Self::Photon => "photon",
            Self::Azure => "azure",
            Self::Busybox => "busybox",
            Self::Distroless => "distroless",
            Self::Windows => "windows",
            Self::Scratch => "scratch",
        }
    }

    /// Whether it is Debian or Ubuntu.
    pub fn is_debian_like(self) -> bool {
        matches!(self, Self::Debian | Self::Ubuntu)
    }

    /// Whether its packages are RPMs that yum or dnf installs.
    pub fn is_rhel_like(self) -> bool {
        self.package_manager() == Some("dnf")
    }

    /// The name of the package manager that it comes with, as in `managers.toml`.
    pub fn package_manager(self) -> Option<&'static str> {
        facts::package_manager(self)
    }

    /// The C library, where the distribution has one: binaries that link it dynamically run only on the same.
    pub fn libc(self) -> Option<&'static str> {
        match self {
            Self::Alpine => Some("musl"),
            Self::Busybox | Self::Distroless | Self::Windows | Self::Scratch => None,
            _ => Some("glibc"),
        }
    }
}
