//! `complex128`, of which there are only constants.

use std::any::Any;
use std::borrow::Cow;

use super::{Kind, Object, View};

/// A complex number.
pub(crate) struct Complex {
    pub(crate) real: f64,
    pub(crate) imaginary: f64,
}

impl Object for Complex {
    fn type_name(&self) -> Cow<'static, str> {
        Kind::Complex128.name().into()
    }

    fn kind(&self) -> Kind {
        Kind::Complex128
    }

    fn view(&self) -> View {
        View::Struct(Vec::new())
    }

    fn text(&self) -> Option<String> {
        let [real, imaginary] = [self.real, self.imaginary].map(weir_yaml::number::format_float);
        let sign = if imaginary.starts_with(['-', '+']) {
            ""
        } else {
            "+"
        };
        Some(format!("({real}{sign}{imaginary}i)"))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
