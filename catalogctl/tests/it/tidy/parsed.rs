//! One file or inline module, parsed: what it defines, imports and mentions. Code under
//! `#[cfg(test)]` is passed over.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, UseTree, Visibility};

/// A path in the code, `crate::index::Snapshot` as three segments.
pub(super) type Segments = Vec<String>;

/// A name that a `use` brings into a module.
pub(super) struct Import {
    /// The name in this module; `*` for all names of a module.
    pub(super) name: String,
    pub(super) path: Segments,
    /// Whether others reach the name through this module.
    pub(super) public: bool,
    pub(super) line: usize,
}

/// A path that the module's own code writes out.
pub(super) struct Mention {
    pub(super) path: Segments,
    pub(super) line: usize,
}

/// A child that a module declares.
pub(super) enum Child {
    /// `mod x;`, in a file of its own.
    File(String),
    /// `mod x { … }`.
    Inline(String, Parsed),
}

pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

#[derive(Default)]
pub(super) struct Parsed {
    /// Names of what is defined here, modules excepted.
    pub(super) items: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
    pub(super) mentions: Vec<Mention>,
    /// In the order of the file.
    pub(super) children: Vec<Child>,
    pub(super) functions: Vec<Function>,
    /// Names of variables in each function that is being visited.
    locals: Vec<BTreeSet<String>>,
}

impl Parsed {
    pub(super) fn file(text: &str) -> syn::Result<Self> {
        Ok(Self::module(&syn::parse_file(text)?.items))
    }

    fn module(items: &[Item]) -> Self {
        let mut parsed = Self::default();
        for item in items {
            parsed.define(item);
            parsed.visit_item(item);
        }
        parsed
    }

    fn define(&mut self, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Macro(item) => match &item.ident {
                Some(name) => name,
                None => return,
            },
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::TraitAlias(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            _ => return,
        };
        self.items.insert(name.to_string());
    }

    fn import(&mut self, tree: &UseTree, prefix: &[String], public: bool) {
        let mut add = |name: String, path: Segments, line: usize| {
            self.imports.push(Import {
                name,
                path,
                public,
                line,
            });
        };
        match tree {
            UseTree::Path(tree) => {
                let prefix = [prefix, &[tree.ident.to_string()]].concat();
                self.import(&tree.tree, &prefix, public);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, prefix, public);
                }
            }
            UseTree::Glob(glob) => {
                let line = glob.star_token.spans[0].start().line;
                add("*".to_owned(), prefix.to_vec(), line);
            }
            UseTree::Name(tree) => {
                let line = tree.ident.span().start().line;
                let path = join(prefix, &tree.ident.to_string());
                add(path.last().cloned().unwrap_or_default(), path, line);
            }
            UseTree::Rename(tree) => {
                let line = tree.ident.span().start().line;
                let path = join(prefix, &tree.ident.to_string());
                add(tree.rename.to_string(), path, line);
            }
        }
    }

    fn mention(&mut self, path: Segments, line: usize) {
        self.mentions.push(Mention { path, line });
    }

    fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|names| names.contains(name))
    }

    /// Macros are not parsed: whatever looks like a path in their tokens counts as one.
    fn scan(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        // Whether the name that comes is a method, a field or a fragment, and no path.
        let mut bare = false;
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => self.scan(group.stream()),
                TokenTree::Punct(punct) => {
                    bare = punct.as_char() == '.' || punct.as_char() == '\'';
                    continue;
                }
                TokenTree::Ident(first) if !bare => {
                    let line = first.span().start().line;
                    let mut path = vec![first.to_string()];
                    while is_colon(tokens.peek()) {
                        tokens.next();
                        if is_colon(tokens.peek()) {
                            tokens.next();
                        }
                        match tokens.peek() {
                            Some(TokenTree::Ident(next)) => {
                                path.push(next.to_string());
                                tokens.next();
                            }
                            _ => break,
                        }
                    }
                    self.mention_in_macro(
                        path,
                        line,
                        matches!(tokens.peek(), Some(TokenTree::Group(_))),
                    );
                }
                _ => {}
            }
            bare = false;
        }
    }

    fn mention_in_macro(&mut self, path: Segments, line: usize, called: bool) {
        let is_type = path[0].starts_with(char::is_uppercase);
        if path.len() > 1 || ((is_type || called) && !self.is_local(&path[0])) {
            self.mention(path, line);
        }
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let line = signature.fn_token.span.start().line;
        let end = block.brace_token.span.close().end().line;
        self.functions.push(Function {
            name: signature.ident.to_string(),
            line,
            lines: end - line + 1,
        });
    }
}

impl<'ast> Visit<'ast> for Parsed {
    fn visit_item(&mut self, item: &'ast Item) {
        if !item_attributes(item).iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let name = module.ident.to_string();
        if is_test_module(&name) {
            return;
        }
        self.children.push(match &module.content {
            Some((_, items)) => Child::Inline(name, Self::module(items)),
            None => Child::File(name),
        });
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let public = !matches!(item.vis, Visibility::Inherited);
        self.import(&item.tree, &[], public);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Segments = path
            .segments
            .iter()
            .map(|one| one.ident.to_string())
            .collect();
        let line = path.segments[0].ident.span().start().line;
        if segments.len() > 1 || !self.is_local(&segments[0]) {
            self.mention(segments, line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone());
    }

    /// Attributes and documentation do not make one file depend on another.
    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        self.locals.push(locals(|names| names.visit_item_fn(item)));
        visit::visit_item_fn(self, item);
        self.locals.pop();
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if item.attrs.iter().any(is_for_tests) {
            return;
        }
        self.function(&item.sig, &item.block);
        self.locals
            .push(locals(|names| names.visit_impl_item_fn(item)));
        visit::visit_impl_item_fn(self, item);
        self.locals.pop();
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        self.locals
            .push(locals(|names| names.visit_trait_item_fn(item)));
        visit::visit_trait_item_fn(self, item);
        self.locals.pop();
    }
}

/// The variables that a function binds: a name of these is not a name of the module.
#[derive(Default)]
struct Locals(BTreeSet<String>);

impl<'ast> Visit<'ast> for Locals {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        let name = pattern.ident.to_string();
        if name.starts_with(char::is_lowercase) {
            self.0.insert(name);
        }
        visit::visit_pat_ident(self, pattern);
    }
}

fn locals(visit: impl FnOnce(&mut Locals)) -> BTreeSet<String> {
    let mut names = Locals::default();
    visit(&mut names);
    names.0
}

/// `use a::{self}` names `a`.
fn join(prefix: &[String], name: &str) -> Segments {
    if name == "self" && !prefix.is_empty() {
        prefix.to_vec()
    } else {
        [prefix, &[name.to_owned()]].concat()
    }
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

/// Modules that hold tests or what tests share.
pub(super) fn is_test_module(name: &str) -> bool {
    matches!(name, "tests" | "testing") || name.ends_with("_tests")
}

fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.starts_with("all (test")
        }
        _ => false,
    }
}

fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
