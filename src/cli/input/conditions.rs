//! The conditions of a template: `Fn::Equals`, `Fn::And`, `Fn::Or`, `Fn::Not` and references to other conditions.

use super::nearest::suggestion;
use super::node::{SourceMember, SourceNode};
use super::resolved::Unknown;
use super::resolver::{Resolver, Stop, Undecided, shown};

impl Resolver<'_> {
    /// Whether a condition holds. `from` is where it is named.
    pub(super) fn named_condition(&self, name: &str, from: &SourceNode, depth: usize) -> Result<bool, Stop> {
        match self.template.root.at(&["Conditions", name]) {
            Some(condition) => self.condition(condition, depth + 1),
            None => {
                let conditions = self.template.root.get("Conditions").and_then(SourceNode::members);
                let names = conditions.unwrap_or_default().iter().map(|member| member.name.as_str());
                let nearest = suggestion(name, names);
                Err(self.part(from, format!("the template has no condition `{name}`{nearest}")))
            }
        }
    }

    fn condition(&self, node: &SourceNode, depth: usize) -> Result<bool, Stop> {
        if depth > 32 {
            return Err(self.part(node, "conditions refer to each other in a circle".to_owned()));
        }
        let wrong = || {
            let known = "Fn::Equals, Fn::And, Fn::Or, Fn::Not or the name of a condition";
            self.part(node, format!("a condition is one of {known}"))
        };
        let SourceMember { name, node: argument, .. } = node.only_member().ok_or_else(wrong)?;
        match (name.as_str(), argument.items()) {
            ("Condition", None) => {
                let name = argument.text().ok_or_else(wrong)?;
                self.named_condition(name, argument, depth)
            }
            ("Fn::Not", Some([condition])) => Ok(!self.condition(condition, depth + 1)?),
            ("Fn::And", Some(conditions)) => self.all_are(true, conditions, depth),
            ("Fn::Or", Some(conditions)) => self.all_are(false, conditions, depth).map(|none| !none),
            ("Fn::Equals", Some([one, other])) => self.equals(node, one, other, depth),
            // Only the language extensions and macros make others.
            (name, _) if name.starts_with("Fn::") => {
                self.decided(node.canonical(), shown(name, argument), node, String::new())
            }
            _ => Err(wrong()),
        }
    }

    /// Whether all of the conditions have this outcome. One that has the other settles it, even if others cannot be known.
    fn all_are(&self, outcome: bool, conditions: &[SourceNode], depth: usize) -> Result<bool, Stop> {
        let mut open = None;
        for condition in conditions {
            match self.condition(condition, depth + 1) {
                Ok(found) if found == outcome => {}
                Ok(_) => return Ok(false),
                Err(Stop::Undecided(undecided)) => open = open.or(Some(undecided)),
                Err(error) => return Err(error),
            }
        }
        open.map_or(Ok(true), |undecided| Err(Stop::Undecided(undecided)))
    }

    fn equals(
        &self,
        node: &SourceNode,
        one: &SourceNode,
        other: &SourceNode,
        depth: usize,
    ) -> Result<bool, Stop> {
        let mut texts = [one.canonical(), other.canonical()];
        let (left, right) = (self.resolve(one, depth + 1)?, self.resolve(other, depth + 1)?);
        if let (Some(left), Some(right)) = (left.as_text(), right.as_text()) {
            match (left.as_known(), right.as_known()) {
                (Some(left), Some(right)) => return Ok(left == right),
                (Some(known), None) if !right.may_match(known) => return Ok(false),
                (None, Some(known)) if !left.may_match(known) => return Ok(false),
                _ => {}
            }
        }
        texts.sort();
        let unknown = left.unknowns().into_iter().chain(right.unknowns()).next();
        let (what, hint) = unknown
            .map_or_else(|| ("!Equals".to_owned(), String::new()), |Unknown { what, hint, .. }| (what, hint));
        self.decided(texts.join(" = "), what, node, hint)
    }

    /// The outcome of a comparison that cannot be known, if one was taken for it.
    fn decided(
        &self,
        comparison: String,
        what: String,
        node: &SourceNode,
        hint: String,
    ) -> Result<bool, Stop> {
        match self.decided.get(&comparison) {
            Some(outcome) => Ok(*outcome),
            None => {
                let unknown = Unknown { line: node.place.line, what, hint };
                Err(Stop::Undecided(Undecided { comparison, unknown }))
            }
        }
    }
}
