//! One kustomization: what it names is gathered, generated and transformed, in kustomize's order
//! (kustomize `KustTarget`).

use std::rc::Rc;

use crate::accumulator::Accumulator;
use crate::config::{TransformerConfig, from_crds};
use crate::context::Context;
use crate::error::{Context as _, Error, Kind, Result};
use crate::factory::validate_metadata;
use crate::go_syntax::quote;
use crate::loader::Loader;
use crate::origin::Origin;
use crate::places::{self, Place, Step};
use crate::plugins::{Configured, Generated};
use crate::resmap::ResMap;
use crate::resource::{Handle, annotation};
use crate::transformers;
use crate::types::{COMPONENT_KIND, Kustomization};

/// Names of a kustomization file.
pub(crate) const FILE_NAMES: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A loaded kustomization.
pub(crate) struct Target<'a> {
    pub(crate) kustomization: Kustomization,
    pub(crate) file_name: &'static str,
    pub(crate) loader: Rc<Loader<'a>>,
    pub(crate) origin: Option<Origin>,
    /// What the kustomization was read from; `None` where it was made.
    text: Option<Rc<str>>,
}

/// Says of a syntax error which file it is in (kustomize `kusterr`).
pub(crate) fn in_file(err: Error, path: &str) -> Error {
    let text = err.message();
    if text.contains("error converting YAML to JSON") || text.contains("error unmarshaling JSON") {
        err.reworded(|text| format!("YAML file [{path}] encounters a format error.\n{text}\n"))
    } else if err.is_malformed_yaml() {
        err.reworded(|text| format!("{text} in File: {path}"))
    } else {
        err
    }
}

/// The one kustomization file in a directory.
pub(crate) fn find_file(loader: &Loader<'_>) -> Result<(Vec<u8>, &'static str)> {
    let mut found = None;
    for name in FILE_NAMES {
        if let Ok(content) = loader.load(name) {
            if found.is_some() {
                return Err(Error::new(format!(
                    "Found multiple kustomization files under: {}\n",
                    loader.shown_root()
                )));
            }
            found = Some((content, name));
        }
    }
    found.ok_or_else(|| {
        let [first, second, third] = FILE_NAMES;
        Error::new(format!(
            "unable to find one of '{first}', '{second}' or '{third}' in directory '{}'",
            loader.shown_root()
        ))
        .of_kind(Kind::NotFound)
    })
}

impl<'a> Target<'a> {
    /// Reads the kustomization file at the loader's directory.
    pub(crate) fn load(cx: &mut Context, loader: Rc<Loader<'a>>) -> Result<Self> {
        let (content, file_name) = find_file(&loader)?;
        let at_file = |err: Error| err.at_file(&loader.relative(file_name));
        let text = weir_yaml::parse::decode_text(&content)
            .context("invalid Kustomization")
            .map_err(at_file)?;
        let kustomization = Kustomization::parse(&text).map_err(at_file)?;
        let text = Some(Rc::from(text));
        Self::of(cx, loader, kustomization, file_name, text)
    }

    /// Of a kustomization that has been read already.
    pub(crate) fn of(
        cx: &mut Context,
        loader: Rc<Loader<'a>>,
        mut kustomization: Kustomization,
        file_name: &'static str,
        text: Option<Rc<str>>,
    ) -> Result<Self> {
        cx.warnings.extend(kustomization.deprecations());
        kustomization.fix();
        let at_file = |err: Error| err.at_file(&loader.relative(file_name));
        kustomization.check_empty().map_err(at_file)?;
        let problems = kustomization.type_problems();
        if !problems.is_empty() {
            return Err(at_file(Error::new(format!(
                "Failed to read kustomization file under {}:\n{}",
                loader.shown_root(),
                problems.join("\n")
            ))));
        }
        Ok(Self {
            kustomization,
            file_name,
            loader,
            origin: None,
            text,
        })
    }

    /// Says of an error what in the kustomization it comes from, unless its place is known.
    pub(crate) fn at(&self, err: Error, place: &Place) -> Error {
        if err.position().is_some() {
            return err;
        }
        let (field, at) = match place {
            Place::File(file) => return err.at_line(file, None),
            Place::Field(field, at) => (*field, at.or(err.entry())),
        };
        let mut steps = vec![Step::Field(field.to_owned())];
        steps.extend(at.map(Step::Index));
        self.at_steps(err, &steps)
    }

    /// Says of an error of the build as a whole which kustomization it is about.
    pub(crate) fn at_file(&self, err: Error) -> Error {
        match &self.text {
            Some(_) => err.at_line(&self.loader.relative(self.file_name), None),
            None => err,
        }
    }

    fn at_steps(&self, err: Error, steps: &[Step]) -> Error {
        let Some(text) = &self.text else {
            return err;
        };
        // What was added to the kustomization that was read is nowhere in its file.
        match places::line_of(text, steps) {
            Some(line) => err.at_line(&self.loader.relative(self.file_name), Some(line)),
            None => err,
        }
    }

    /// Says of an error which entry of a list of texts it comes from.
    fn at_item(&self, err: Error, field: &str, item: &str) -> Error {
        if err.position().is_some() {
            return err;
        }
        let steps = [Step::Field(field.to_owned()), Step::Item(item.to_owned())];
        self.at_steps(err, &steps)
    }

    /// Chooses the schemas that this kustomization asks for.
    pub(crate) fn set_schema(&self, cx: &Context, reset: bool) -> Result<()> {
        let openapi = self.kustomization.openapi.as_ref();
        let get = |key: &str| openapi.and_then(|openapi| openapi.get(key));
        let document = get("path").map(|path| self.loader.load(path)).transpose()?;
        cx.schemas.set(
            get("version").map(String::as_str),
            document.as_deref(),
            reset,
        )
    }

    /// Builds everything.
    pub(crate) fn build(&mut self, cx: &mut Context) -> Result<ResMap> {
        let wants_origin = self
            .kustomization
            .build_metadata
            .as_ref()
            .is_some_and(|wanted| !wanted.is_empty());
        self.origin = wants_origin.then(Origin::default);
        let mut gathered = self.accumulate(cx, Accumulator::default())?;
        transformers::add_hashes(cx, &mut gathered.map)?;
        gathered.fix_back_references(cx)?;
        gathered
            .resolve_vars(cx)
            .map_err(|err| self.at(err, &Place::Field("vars", None)))?;
        let mut map = gathered.map;
        drop_local(cx, &mut map)?;
        Ok(map)
    }

    fn accumulate(&mut self, cx: &mut Context, into: Accumulator) -> Result<Accumulator> {
        let resources = self.kustomization.resources.take().unwrap_or_default();
        let mut gathered = self
            .resources(cx, into, "resources", &resources)
            .context("accumulating resources")?;
        self.kustomization.resources = Some(resources);

        let configurations = self
            .kustomization
            .configurations
            .as_deref()
            .unwrap_or_default();
        let config = TransformerConfig::load(cx, &self.loader, configurations)?;
        TransformerConfig::merge_shared(&mut gathered.config, &config).context("merging config")?;
        let crds = self.kustomization.crds.as_deref().unwrap_or_default();
        let from_crds =
            from_crds(&self.loader, crds).context(format!("loading CRDs [{}]", crds.join(" ")))?;
        TransformerConfig::merge_shared(&mut gathered.config, &Rc::new(from_crds))
            .context("merging CRDs")?;

        self.run_generators(cx, &mut gathered)?;

        let components = self.kustomization.components.clone().unwrap_or_default();
        gathered = self
            .components(cx, gathered, &components)
            .context("accumulating components")?;

        self.run_transformers(cx, &mut gathered)?;
        self.run_validators(cx, &mut gathered)?;

        let vars = self.kustomization.vars.clone().unwrap_or_default();
        if !vars.is_empty() {
            gathered.merge_vars(cx, &vars).map_err(|err| {
                let shown: Vec<_> = vars.iter().map(ToString::to_string).collect();
                let err = err.context(format!("merging vars [{}]", shown.join(" ")));
                self.at(err, &Place::Field("vars", None))
            })?;
        }
        Ok(gathered)
    }

    /// Files and directories that a list names.
    pub(crate) fn resources(
        &mut self,
        cx: &mut Context,
        mut into: Accumulator,
        field: &'static str,
        paths: &[String],
    ) -> Result<Accumulator> {
        for path in paths {
            let Err(as_file) = self.file(cx, &mut into, path) else {
                continue;
            };
            let loader = match self.loader.new_at(path) {
                Ok(loader) => loader,
                Err(_) if as_file.is_malformed_yaml() => return Err(as_file),
                Err(err) => return Err(self.at_item(both(err, &as_file), field, path)),
            };
            into = self
                .directory(cx, into, loader, path, false)
                .map_err(|err| self.at_item(both(err, &as_file), field, path))?;
        }
        Ok(into)
    }

    fn file(&self, cx: &mut Context, into: &mut Accumulator, path: &str) -> Result<()> {
        let what = || format!("accumulating resources from '{path}'");
        let content = self.loader.load(path).map_err(|err| err.context(what()))?;
        let place = self.loader.relative(path);
        let found = cx
            .resources_from_bytes(&content)
            .and_then(|found| {
                ResMap::from_resources(cx, found.clone())?;
                Ok(found)
            })
            .map_err(|err| in_file(err, path).context(what()).at_file(&place))?;
        cx.note_file(&found, &place);
        if let Some(origin) = &self.origin {
            let entries = [(annotation::ORIGIN.to_owned(), origin.append(path).text()?)].into();
            let specs = [crate::types::FieldSpec::of_all(
                "metadata/annotations",
                true,
            )];
            let map = ResMap::from_list(found.clone());
            transformers::set_entries(cx, &map, &entries, &specs)?;
        }
        into.map.append_all(cx, &found).map_err(|err| {
            err.context(format!("merging resources from '{path}'"))
                .at_file(&place)
        })
    }

    fn components(
        &mut self,
        cx: &mut Context,
        mut into: Accumulator,
        paths: &[String],
    ) -> Result<Accumulator> {
        for path in paths {
            let loader = self
                .loader
                .new_at(path)
                .map_err(|err| err.reworded(|text| format!("loader.New {}", quote(text))))
                .map_err(|err| self.at_item(err, "components", path))?;
            into = self
                .directory(cx, into, loader, path, true)
                .map_err(|err| {
                    let err = err.reworded(|text| format!("accumulateDirectory: {}", quote(text)));
                    self.at_item(err, "components", path)
                })?;
        }
        Ok(into)
    }

    fn directory(
        &mut self,
        cx: &mut Context,
        mut into: Accumulator,
        loader: Rc<Loader<'a>>,
        path: &str,
        is_component: bool,
    ) -> Result<Accumulator> {
        let root = loader.shown_root();
        let mut target =
            Target::load(cx, loader).context(format!("couldn't make target for path '{root}'"))?;
        target
            .kustomization
            .build_metadata
            .clone_from(&self.kustomization.build_metadata);
        target.origin = self.origin.as_ref().map(|origin| origin.append(path));
        target.set_schema(cx, false)?;
        let kind = target.kustomization.kind.as_str();
        if is_component != (kind == COMPONENT_KIND) {
            return Err(Error::new(if is_component {
                format!("expected kind '{COMPONENT_KIND}' for path '{root}' but got '{kind}'")
            } else {
                format!("expected kind != '{COMPONENT_KIND}' for path '{root}'")
            }));
        }
        // A component works on what its parent has gathered, a base starts with nothing.
        let start = if is_component {
            std::mem::take(&mut into)
        } else {
            Accumulator::default()
        };
        let found = target
            .accumulate(cx, start)
            .context(format!("recursed accumulation of path '{root}'"))?;
        into.merge(cx, found)
            .context(format!("recursed merging from path '{root}'"))?;
        Ok(into)
    }

    fn run_generators(&mut self, cx: &mut Context, into: &mut Accumulator) -> Result<()> {
        let mut made = self.builtin_generators(cx)?;
        let external = self
            .external_generators(cx)
            .context("loading generator plugins")?;
        made.extend(external);
        for Generated {
            generator,
            origin,
            place,
        } in made
        {
            let found = generator.generate(cx).map_err(|err| self.at(err, &place))?;
            cx.note_file(&found, &self.loader.relative(self.file_name));
            if let Some(origin) = origin {
                cx.note_generator(&found, &origin)
                    .context("adding origin annotations for generator")?;
            }
            into.map
                .absorb_all(cx, &found)
                .context("merging from generator")
                .map_err(|err| self.at(err, &place))?;
        }
        Ok(())
    }

    fn run_transformers(&mut self, cx: &mut Context, into: &mut Accumulator) -> Result<()> {
        // Everything is configured before anything is changed.
        let mut all = self.builtin_transformers(cx, &into.config)?;
        let paths = self.kustomization.transformers.clone().unwrap_or_default();
        all.extend(self.external_transformers(cx, "transformers", &paths)?);
        for Configured {
            transformer,
            origin,
            place,
        } in all
        {
            transformer
                .transform(cx, &mut into.map)
                .map_err(|err| self.at(err, &place))?;
            if let Some(origin) = origin {
                cx.note_transformer(&into.map, &origin)?;
            }
            into.map.drop_empties(cx);
        }
        Ok(())
    }

    fn run_validators(&mut self, cx: &mut Context, into: &mut Accumulator) -> Result<()> {
        let paths = self.kustomization.validators.clone().unwrap_or_default();
        let validators = self.external_transformers(cx, "validators", &paths)?;
        for validator in validators {
            let before: Vec<String> = into
                .map
                .list()
                .iter()
                .map(|handle| cx.to_json(*handle))
                .collect();
            let at = |err: Error| self.at(err, &validator.place);
            validator
                .transformer
                .transform(cx, &mut into.map)
                .map_err(at)?;
            if into.map.list().len() != before.len() {
                return Err(at(Error::new(
                    "validator shouldn't modify the resource map: lists have different number \
                     of entries",
                )));
            }
            for (handle, before) in into.map.list().to_vec().into_iter().zip(before) {
                let copy = cx.deep_copy(handle);
                let mut labels = cx.labels(copy);
                if labels.remove("validated-by").is_some() {
                    cx.set_meta_map(copy, "labels", &labels)?;
                }
                let after = cx.to_json(copy);
                if after != before {
                    return Err(at(Error::new(format!(
                        "validator shouldn't modify the resource map: nodes unequal: \n -- \
                         {before},\n -- {after}\n"
                    ))));
                }
            }
        }
        Ok(())
    }
}

/// The error of a directory, with why the same name was no file.
fn both(err: Error, as_file: &Error) -> Error {
    let err = err.context(format!("accumulation err='{as_file}'"));
    match as_file.position() {
        Some(position) => err.at_line(&position.path, position.line),
        None => err,
    }
}

/// Drops what is there only for the build itself.
fn drop_local(cx: &Context, map: &mut ResMap) -> Result<()> {
    let mut kept: Vec<Handle> = Vec::with_capacity(map.list().len());
    for handle in map.list() {
        let Some(node) = cx.node(*handle) else {
            continue;
        };
        if cx.is_nil_or_empty(*handle) {
            continue;
        }
        validate_metadata(&cx.arena, node)?;
        let local = cx.annotation(*handle, annotation::LOCAL_CONFIG);
        if local.is_none_or(|local| local == "false") {
            kept.push(*handle);
        }
    }
    if kept.len() != map.list().len() {
        map.set_list(kept);
    }
    Ok(())
}
