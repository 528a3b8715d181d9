//! Finds the values of a variable with which a pattern matches a known text.

use crate::pattern::sample_texts::{SymbolPattern, matches};
use crate::pattern::symbols::{Symbol, Template, TemplateItem, in_lower_case, of_text};

/// The most values of one variable for one text.
const MOST_VALUES: usize = 48;

/// The most characters of a text. Each part of the text may be the value of a variable.
const MOST_CHARACTERS: usize = 512;

/// All values of the variable `key` with which the template can match `text`, whatever the values of its other
/// variables. There may be values among them with which it cannot. `None` if there are too many values, or if the text
/// is too long.
///
/// `ignores_case` says that the case of the text does not matter. The values are in lower case then.
pub(super) fn values(template: &Template, key: u32, text: &str, ignores_case: bool) -> Option<Vec<String>> {
    if text.chars().nth(MOST_CHARACTERS).is_some() {
        return None;
    }
    let is_variable =
        |item: &TemplateItem| matches!(item, TemplateItem::Variable { key: other, .. } if *other == key);
    let at = template.0.iter().position(is_variable)?;
    let (before, after) = template.0.split_at_checked(at)?;
    let form = |items: &[TemplateItem]| -> Vec<Symbol> {
        let symbols = Template(items.to_vec()).filled(|_, _| vec![Symbol::Star]);
        if ignores_case { in_lower_case(&symbols) } else { symbols }
    };
    let (before, after) = (form(before), form(after.get(1..).unwrap_or_default()));
    let text: String =
        if ignores_case { text.chars().flat_map(char::to_lowercase).collect() } else { text.to_owned() };
    let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let fits = |symbols: &[Symbol], part: Option<&str>| {
        part.is_some_and(|part| matches(SymbolPattern { symbols, ignores_case: false }, part))
    };
    let starts: Vec<usize> = boundaries.iter().copied().filter(|at| fits(&before, text.get(..*at))).collect();
    let ends: Vec<usize> = boundaries.iter().copied().filter(|at| fits(&after, text.get(*at..))).collect();
    let mut values: Vec<String> = Vec::new();
    for value in starts.iter().flat_map(|start| ends.iter().filter_map(|end| text.get(*start..*end))) {
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
            if values.len() > MOST_VALUES {
                return None;
            }
        }
    }
    Some(values)
}

/// The template with a text for each variable. A variable without a text gets its default. `None` if a variable has
/// neither.
pub(super) fn fill(template: &Template, texts: &[(u32, Option<&str>)]) -> Option<Vec<Symbol>> {
    let mut has_all = true;
    let symbols = template.filled(|key, default| {
        let text = texts.iter().find(|(known, _)| *known == key).and_then(|(_, text)| text.or(default));
        has_all &= text.is_some();
        of_text(text.unwrap_or_default())
    });
    has_all.then_some(symbols)
}
