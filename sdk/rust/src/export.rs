//! The line that makes a component.

/// Exports a type as a component: `export!(renderer: MyPlugin);`, and likewise `source`,
/// `image_policy` and `notifier`, for a type that implements the trait of that kind.
///
/// Expands to nothing but a type check unless the target is WebAssembly. Use it once, in the
/// library that is built as `cdylib`.
#[macro_export]
macro_rules! export {
    (source: $plugin:ty) => {
        $crate::__export!($plugin, Source, source, __export_source_export_impl);
    };
    (renderer: $plugin:ty) => {
        $crate::__export!($plugin, Renderer, renderer, __export_renderer_export_impl);
    };
    (image_policy: $plugin:ty) => {
        $crate::__export!(
            $plugin,
            ImagePolicy,
            image_policy,
            __export_image_policy_export_impl
        );
    };
    (notifier: $plugin:ty) => {
        $crate::__export!($plugin, Notifier, notifier, __export_notifier_export_impl);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    ($plugin:ty, $kind:ident, $module:ident, $export:ident) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, clippy::all, clippy::pedantic, reason = "generated code")]
        const _: () = {
            type Component = $crate::__private::$module::Component<$plugin>;
    $crate::__export_about_export_impl!(Component with_types_in $crate::bindings::about);
    $crate::$export!(Component with_types_in $crate::bindings::$module);
        };
        // Checked for every target, so that `cargo check` on a workstation tells all.
        const _: () = {
            const fn is_a_plugin<T: $crate::$kind>() {}
            is_a_plugin::<$plugin>();
        };
    };
}
