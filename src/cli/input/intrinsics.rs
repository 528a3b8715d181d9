//! The intrinsic functions that make a value: `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::Join`, `Fn::Select`, `Fn::Split`,
//! `Fn::FindInMap` and `Fn::If`.

use super::node::SourceNode;
use super::resolved::{PartialText, Resolved, ResolvedValue, Unknown};
use super::resolver::{Resolver, Stop, shown};

impl Resolver<'_> {
    /// The value of a function that stands in a line. One that is not known here is unknown.
    pub(super) fn function(
        &self,
        name: &str,
        argument: &SourceNode,
        line: u32,
        depth: usize,
    ) -> Result<ResolvedValue, Stop> {
        let unknown = |hint: &str| {
            let what = shown(name, argument);
            ResolvedValue::Unknown(vec![Unknown { line, what, hint: hint.to_owned() }])
        };
        match name {
            "Ref" => match argument.text() {
                Some(name) => self.reference(name, line, depth),
                None => Err(self.part(argument, format!("Ref takes a name, not {}", argument.kind()))),
            },
            "Fn::GetAtt" => self.attribute_of(argument, line, depth),
            "Fn::Sub" => self.substitution(argument, line, depth),
            "Fn::Join" => self.joined(argument, line, depth),
            "Fn::Select" => self.selected(argument, line, depth),
            "Fn::Split" => self.split(argument, line, depth),
            "Fn::FindInMap" => self.mapped(argument, line, depth),
            "Fn::If" => match argument.items() {
                Some([condition, met, unmet]) => {
                    let Some(name) = condition.text() else {
                        return Err(
                            self.part(condition, "Fn::If takes the name of a condition first".to_owned())
                        );
                    };
                    let branch = if self.named_condition(name, condition, depth)? { met } else { unmet };
                    Ok(self.resolve(branch, depth)?.value)
                }
                _ => Err(self.part(argument, "Fn::If takes a condition and two values".to_owned())),
            },
            "Fn::ImportValue" => Ok(unknown("another stack exports it")),
            "Fn::Transform" => Ok(unknown("a macro makes it")),
            _ => Ok(unknown("")),
        }
    }

    fn attribute_of(&self, argument: &SourceNode, line: u32, depth: usize) -> Result<ResolvedValue, Stop> {
        let parts: Vec<String> = match (argument.text(), argument.items()) {
            (Some(text), _) => text.splitn(2, '.').map(str::to_owned).collect(),
            (None, Some(items)) => {
                let mut parts = Vec::new();
                for item in items {
                    parts.extend(self.resolve(item, depth)?.as_known());
                }
                parts
            }
            (None, None) => Vec::new(),
        };
        match parts.as_slice() {
            [resource, attribute] => self.attribute(resource, attribute, line, depth),
            _ => {
                let what = shown("Fn::GetAtt", argument);
                let hint = "it names a resource and one of its attributes: `Name.Attribute`".to_owned();
                Ok(ResolvedValue::Unknown(vec![Unknown { line, what, hint }]))
            }
        }
    }

    /// `Fn::Sub`: a text, or a text and a mapping of names.
    fn substitution(&self, argument: &SourceNode, line: u32, depth: usize) -> Result<ResolvedValue, Stop> {
        let (template, names) = match (argument.text(), argument.items()) {
            (Some(text), _) => (text, None),
            (None, Some([text, names])) if text.text().is_some() && names.members().is_some() => {
                (text.text().unwrap_or_default(), Some(names))
            }
            _ => {
                let what = "Fn::Sub takes a text, or a list of a text and a mapping".to_owned();
                return Err(self.part(argument, what));
            }
        };
        let mut text = PartialText::default();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            text.push(before, line);
            let Some((name, behind)) = after.split_once('}') else {
                text.push("${", line);
                rest = after;
                continue;
            };
            rest = behind;
            if let Some(literal) = name.strip_prefix('!') {
                text.push(&format!("${{{literal}}}"), line);
                continue;
            }
            let value = match (names.and_then(|names| names.get(name)), name.split_once('.')) {
                (Some(node), _) => self.resolve(node, depth)?.value,
                (None, Some((resource, attribute))) => self.attribute(resource, attribute, line, depth)?,
                (None, None) => self.reference(name, line, depth)?,
            };
            text.append(&self.text_of(value, name, line), line);
        }
        text.push(rest, line);
        Ok(ResolvedValue::Text(text))
    }

    /// The text that a value has inside of another text.
    fn text_of(&self, value: ResolvedValue, name: &str, line: u32) -> PartialText {
        let place = crate::report::SourcePlace { line, column: 1, end_line: line };
        Resolved::new(place, value).as_text().unwrap_or_else(|| {
            let hint = "it is no text".to_owned();
            PartialText::unknown(Unknown { line, what: format!("${{{name}}}"), hint })
        })
    }

    fn joined(&self, argument: &SourceNode, line: u32, depth: usize) -> Result<ResolvedValue, Stop> {
        let Some([delimiter, list]) = argument.items() else {
            return Err(self.part(argument, "Fn::Join takes a delimiter and a list".to_owned()));
        };
        let delimiter = self.resolve(delimiter, depth)?;
        let list = self.resolve(list, depth)?;
        let (Some(delimiter), ResolvedValue::List(items)) = (delimiter.as_text(), &list.value) else {
            return Ok(ResolvedValue::Text(PartialText::unknown(first_of(
                &[&delimiter, &list],
                "!Join",
                line,
            ))));
        };
        let mut text = PartialText::default();
        let items = items.iter().filter(|item| item.value != ResolvedValue::Absent);
        for (at, item) in items.enumerate() {
            if at > 0 {
                text.append(&delimiter, line);
            }
            match item.as_text() {
                Some(item) => text.append(&item, line),
                // A list in the list, of which nobody says what it becomes.
                None => {
                    return Ok(ResolvedValue::Text(PartialText::unknown(first_of(&[item], "!Join", line))));
                }
            }
        }
        Ok(ResolvedValue::Text(text))
    }

    fn selected(&self, argument: &SourceNode, line: u32, depth: usize) -> Result<ResolvedValue, Stop> {
        let Some([index, list]) = argument.items() else {
            return Err(self.part(argument, "Fn::Select takes an index and a list".to_owned()));
        };
        let (index, list) = (self.resolve(index, depth)?, self.resolve(list, depth)?);
        let at = index.as_known().and_then(|text| text.parse::<usize>().ok());
        let item = match (&list.value, at) {
            (ResolvedValue::List(items), Some(at))
                if !items.iter().any(|item| item.value == ResolvedValue::Absent) =>
            {
                items.get(at)
            }
            _ => None,
        };
        Ok(match item {
            Some(item) => item.value.clone(),
            None => ResolvedValue::Unknown(vec![first_of(&[&index, &list], "!Select", line)]),
        })
    }

    fn split(&self, argument: &SourceNode, line: u32, depth: usize) -> Result<ResolvedValue, Stop> {
        let Some([delimiter, text]) = argument.items() else {
            return Err(self.part(argument, "Fn::Split takes a delimiter and a text".to_owned()));
        };
        let place = text.place;
        let (delimiter, text) = (self.resolve(delimiter, depth)?, self.resolve(text, depth)?);
        Ok(match (delimiter.as_known(), text.as_known()) {
            (Some(delimiter), Some(text)) if !delimiter.is_empty() => {
                let part = |part| ResolvedValue::Text(PartialText::known(part, place.line));
                ResolvedValue::List(
                    text.split(&delimiter).map(|text| Resolved::new(place, part(text))).collect(),
                )
            }
            _ => ResolvedValue::Unknown(vec![first_of(&[&delimiter, &text], "!Split", line)]),
        })
    }

    fn mapped(&self, argument: &SourceNode, line: u32, depth: usize) -> Result<ResolvedValue, Stop> {
        let (names, default) = match argument.items() {
            Some([map, first, second]) => ([map, first, second], None),
            Some([map, first, second, options]) => ([map, first, second], options.get("DefaultValue")),
            _ => {
                let what = "Fn::FindInMap takes a mapping and two names".to_owned();
                return Err(self.part(argument, what));
            }
        };
        let names = names.map(|name| self.resolve(name, depth));
        let [map, first, second] = names;
        let names = [map?, first?, second?];
        let known: Option<Vec<String>> = names.iter().map(Resolved::as_known).collect();
        let unknown = |what| {
            let all: Vec<&Resolved> = names.iter().collect();
            ResolvedValue::Unknown(vec![first_of(&all, what, line)])
        };
        let Some(known) = known else { return Ok(unknown("!FindInMap")) };
        let path: Vec<&str> = std::iter::once("Mappings").chain(known.iter().map(String::as_str)).collect();
        match (self.template.root.at(&path), default) {
            (Some(value), _) | (None, Some(value)) => Ok(self.resolve(value, depth)?.value),
            (None, None) => Ok(unknown(&format!("!FindInMap {}", known.join(".")))),
        }
    }
}

/// What of some values is unknown first, or else the function itself.
fn first_of(values: &[&Resolved], what: &str, line: u32) -> Unknown {
    let first = values.iter().find_map(|value| value.unknowns().into_iter().next());
    first.unwrap_or_else(|| Unknown {
        line,
        what: what.to_owned(),
        hint: "the template does not say its value".to_owned(),
    })
}
