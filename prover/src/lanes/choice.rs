//! Which arithmetic the prover uses.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// Variable that forces an arithmetic.
const VARIABLE: &str = "BASTION_ARITHMETIC";

static ACTIVE: OnceLock<Arithmetic> = OnceLock::new();

/// Arithmetic of the prover, by the instructions that it needs. All give the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arithmetic {
    /// Plain Rust, on any processor.
    Portable,
    /// AVX2, BMI2 and ADX: x86-64 processors since about 2015.
    Mulx,
    /// AVX-512 with IFMA: Intel since Ice Lake, AMD since Zen 4.
    Ifma,
}

/// A name that stands for no arithmetic of this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("arithmetic `{name}` {why}: this machine has {has}")]
pub struct BadArithmetic {
    name: String,
    why: &'static str,
    has: String,
}

impl Arithmetic {
    /// All, slowest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Mulx, Self::Ifma];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Mulx => "mulx",
            Self::Ifma => "ifma",
        }
    }

    /// Whether this machine has the instructions.
    pub fn is_supported(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Mulx => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("adx")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512ifma")
                    && is_x86_feature_detected!("bmi2")
                    && is_x86_feature_detected!("adx")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Mulx | Self::Ifma => false,
        }
    }

    /// Those that this machine has, slowest first.
    pub fn supported() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|a| a.is_supported())
    }

    /// The fastest that this machine has.
    pub fn best() -> Self {
        Self::supported().last().unwrap_or(Self::Portable)
    }

    /// The one in use: what [`Self::force`] said first, else what `BASTION_ARITHMETIC` names, else
    /// the best. A name that cannot be is passed over here; the command line refuses it.
    pub fn active() -> Self {
        *ACTIVE.get_or_init(|| {
            let named = std::env::var(VARIABLE).ok();
            let named = named.and_then(|name| name.parse().ok());
            named.unwrap_or_else(Self::best)
        })
    }

    /// Chooses the arithmetic of this process. Returns whether it is in use now: the first choice
    /// stands.
    pub fn force(self) -> bool {
        self.is_supported() && *ACTIVE.get_or_init(|| self) == self
    }
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Arithmetic {
    type Err = BadArithmetic;

    /// The arithmetic of a name, if this machine has it.
    fn from_str(name: &str) -> Result<Self, BadArithmetic> {
        let bad = |why| BadArithmetic {
            name: name.into(),
            why,
            has: Self::supported().map(Self::name).collect::<Vec<_>>().join(", "),
        };
        let found = Self::ALL.into_iter().find(|a| a.name() == name);
        let found = found.ok_or_else(|| bad("is not known"))?;
        match found.is_supported() {
            true => Ok(found),
            false => Err(bad("needs instructions that are missing here")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_what_the_machine_has() {
        for arithmetic in Arithmetic::ALL {
            let parsed = arithmetic.name().parse::<Arithmetic>();
            match arithmetic.is_supported() {
                true => assert_eq!(parsed, Ok(arithmetic)),
                false => assert!(parsed.unwrap_err().to_string().contains("missing")),
            }
        }
        let unknown = "fast".parse::<Arithmetic>().unwrap_err().to_string();
        assert!(unknown.contains("`fast`") && unknown.contains("portable"), "{unknown}");
        assert!(Arithmetic::best().is_supported() && Arithmetic::active().is_supported());
    }
}
