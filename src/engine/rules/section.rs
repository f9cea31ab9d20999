//! Objects and choices of a document, each declared once: the struct, its defaults, strict reading, the JSON Schema
//! and the printed defaults all come from the same line.

/// Declares an object. A line a member: `/// what it is`, `name: Type = default, limits, "unit";`.
///
/// Behind it, each optional: `required ["a"]` (members that must be present), `exactly_one ["a", "b"]` (of which
/// exactly one must be), `check function` (what a single member cannot say: `fn(&Self, &mut Reader)`).
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident : $type:ty = $default:expr, $limits:expr $(, $unit:literal)?; )*
        }
        $(required [$($required:literal),*])?
        $(exactly_one [$($one:literal),*])?
        $(check $check:path)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $(
                $(#[doc = $doc])+
                #[doc = concat!("\n\nDefault `", stringify!($default), "`, limits `", stringify!($limits), "`"
                    $(, ", unit: ", $unit)?, ".")]
                pub $field: $type,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default),* }
            }
        }

        impl $crate::rules::reader::Value for $name {
            type Limits = ();

            fn read(
                node: &$crate::rules::tree::Node,
                (): &(),
                reader: &mut $crate::rules::reader::Reader,
            ) -> Option<Self> {
                let known = [$(stringify!($field)),*];
                let members = $crate::rules::reader::Members::of(node, &known, reader)?;
                let mut value = Self::default();
                $( members.read(stringify!($field), &$limits, &mut value.$field, reader); )*
                $( members.required(&[$($required),*], reader); )?
                $( members.exactly_one(&[$($one),*], reader); )?
                $( $check(&value, reader); )?
                Some(value)
            }

            fn schema((): &()) -> serde_json::Value {
                let default = Self::default();
                let mut object = $crate::rules::schema::Object::new(concat!($($about),+));
                $(
                    object.member::<$type>(
                        stringify!($field),
                        concat!($($doc),+),
                        None$(.or(Some($unit)))?,
                        &$limits,
                        &default.$field,
                    );
                )*
                $( object.required(&[$($required),*]); )?
                $( object.exactly_one(&[$($one),*]); )?
                object.finish()
            }

            fn show(&self) -> serde_json::Value {
                let mut object = serde_json::Map::new();
                $( $crate::rules::schema::show(&mut object, stringify!($field), &self.$field); )*
                serde_json::Value::Object(object)
            }
        }
    };
}

/// Declares the words that stand for the values of an enum: `choice!(Mode { Observe = "observe" });`.
macro_rules! choice {
    ($name:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $crate::rules::reader::Value for $name {
            type Limits = ();

            fn read(
                node: &$crate::rules::tree::Node,
                (): &(),
                reader: &mut $crate::rules::reader::Reader,
            ) -> Option<Self> {
                let words = [$($word),+];
                $crate::rules::values::word(node, &words, reader).and_then(|word| match word {
                    $($word => Some(<$name>::$variant),)+
                    _ => None,
                })
            }

            fn schema((): &()) -> serde_json::Value {
                serde_json::json!({ "type": "string", "enum": [$($word),+] })
            }

            fn show(&self) -> serde_json::Value {
                match self {
                    $(<$name>::$variant => serde_json::Value::from($word),)+
                }
            }
        }
    };
}

pub(crate) use {choice, section};
