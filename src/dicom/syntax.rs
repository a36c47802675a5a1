//! Transfer syntaxes by how their data sets are laid out (PS3.5 §A).

/// How the bytes of a data set are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Implicit VR Little Endian (PS3.5 §A.1).
    ImplicitLittle,
    /// Explicit VR Little Endian (PS3.5 §A.2), and every encapsulated syntax (PS3.5 §A.4).
    ExplicitLittle,
    /// Explicit VR Big Endian, retired (PS3.5 §A.3 in editions up to 2016).
    ExplicitBig,
    /// Explicit VR Little Endian, deflated as a whole (PS3.5 §A.5).
    DeflatedExplicitLittle,
}

/// Implicit VR Little Endian.
pub const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
/// Explicit VR Little Endian.
pub const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
/// Deflated Explicit VR Little Endian.
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// Explicit VR Big Endian.
pub const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";
/// JPIP Referenced Deflate: deflated as a whole too (PS3.5 §A.7).
pub const JPIP_DEFLATED: &str = "1.2.840.10008.1.2.4.95";
/// JPIP HTJ2K Referenced Deflate (PS3.5 §A.12).
pub const JPIP_HTJ2K_DEFLATED: &str = "1.2.840.10008.1.2.4.205";
/// GE private: Implicit VR Little Endian with big endian pixel words.
pub const GE_PRIVATE_IMPLICIT: &str = "1.2.840.113619.5.2";

impl Encoding {
    /// The encoding of transfer syntax `uid`. Unknown syntaxes read as Explicit VR Little Endian,
    /// which PS3.5 §10 demands of every syntax but the ones named here.
    pub fn of(uid: &str) -> Self {
        match uid {
            IMPLICIT_LITTLE | GE_PRIVATE_IMPLICIT => Self::ImplicitLittle,
            EXPLICIT_BIG => Self::ExplicitBig,
            DEFLATED | JPIP_DEFLATED | JPIP_HTJ2K_DEFLATED => Self::DeflatedExplicitLittle,
            _ => Self::ExplicitLittle,
        }
    }
}

/// Whether pixel data in the syntax is native: not in fragments.
pub fn is_native(uid: &str) -> bool {
    matches!(uid, IMPLICIT_LITTLE | EXPLICIT_LITTLE | DEFLATED | EXPLICIT_BIG | GE_PRIVATE_IMPLICIT)
}

/// Whether words of native pixel data are big endian.
pub fn has_big_pixels(uid: &str) -> bool {
    matches!(uid, EXPLICIT_BIG | GE_PRIVATE_IMPLICIT)
}

#[cfg(test)]
mod tests {
    use super::Encoding;

    #[test]
    fn only_few_syntaxes_are_not_explicit_little_endian() {
        for (uid, encoding) in [
            ("1.2.840.10008.1.2", Encoding::ImplicitLittle),
            ("1.2.840.113619.5.2", Encoding::ImplicitLittle),
            ("1.2.840.10008.1.2.2", Encoding::ExplicitBig),
            ("1.2.840.10008.1.2.1.99", Encoding::DeflatedExplicitLittle),
            ("1.2.840.10008.1.2.4.95", Encoding::DeflatedExplicitLittle),
            ("1.2.840.10008.1.2.4.205", Encoding::DeflatedExplicitLittle),
            ("1.2.840.10008.1.2.1", Encoding::ExplicitLittle),
            ("1.2.840.10008.1.2.8.1", Encoding::ExplicitLittle), // deflates frames, not the data set
            ("1.2.840.10008.1.2.4.90", Encoding::ExplicitLittle),
            ("1.3.46.670589.33.1.4.1", Encoding::ExplicitLittle),
        ] {
            assert_eq!(Encoding::of(uid), encoding, "{uid}");
        }
    }
}
