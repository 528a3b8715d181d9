//! `docs/reference.md`: its generated sections are what the code and the templates say. `UPDATE_REFERENCE=1` writes them.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode as _, Yaml};

/// The templates whose parameters the page has, by the names of the sections.
const TEMPLATES: [(&str, &str); 3] = [
    ("parameters of template.yaml", "template.yaml"),
    ("parameters of template-key-access.yaml", "template-key-access.yaml"),
    ("parameters of deploy/audit.yaml", "deploy/audit.yaml"),
];
/// What ends a generated section.
const END: &str = "<!-- end of what is generated -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// All generated sections by name.
fn sections() -> Vec<(&'static str, String)> {
    let of_templates = TEMPLATES.into_iter().map(|(name, file)| (name, parameters(file)));
    session_kms::reference::sections().into_iter().chain(of_templates).collect()
}

#[test]
fn the_generated_sections_of_the_reference_are_up_to_date() {
    let path = root().join("docs/reference.md");
    let page = fs::read_to_string(&path).unwrap();
    let sections = sections();
    let made = with_sections(&page, &sections);
    if env::var_os("UPDATE_REFERENCE").is_some() {
        fs::write(&path, &made).unwrap();
        return;
    }
    let differs = page.lines().zip(made.lines()).find(|(written, made)| written != made);
    assert!(page == made, "docs/reference.md differs from the code; `make docs` writes it: {differs:?}");
}

/// The page with the content of each section between its markers.
fn with_sections(page: &str, sections: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut found = BTreeSet::new();
    let mut is_generated = false;
    for line in page.lines() {
        if line == END {
            is_generated = false;
        }
        if !is_generated {
            let _ = writeln!(text, "{line}");
        }
        let name = line.strip_prefix("<!-- generated: ").and_then(|rest| rest.strip_suffix(" -->"));
        if let Some(name) = name {
            let section = sections.iter().find(|(section, _)| *section == name);
            let (_, content) = section.unwrap_or_else(|| panic!("nothing generates the section `{name}`"));
            assert!(found.insert(name), "`{name}` is there twice");
            let _ = write!(text, "\n{}\n\n", content.trim_end());
            is_generated = true;
        }
    }
    assert!(!is_generated, "a generated section does not end");
    for (name, _) in sections {
        assert!(found.contains(name), "the page has no section `{name}`");
    }
    text
}

#[test]
fn a_section_is_replaced_between_its_markers_only() {
    let page = format!("# Page\n\n<!-- generated: one -->\nold\n{END}\nBy hand.\n");
    let expected = format!("# Page\n\n<!-- generated: one -->\n\nnew\n\n{END}\nBy hand.\n");
    assert_eq!(with_sections(&page, &[("one", "new\n".to_owned())]), expected);
    assert_eq!(with_sections(&expected, &[("one", "new\n".to_owned())]), expected);
}

/// The parameters of a template, in the order of its groups if it has any.
fn parameters(file: &str) -> String {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap();
    let template = &documents[0];
    let parameters = &template["Parameters"];
    let mut page = String::new();
    let mut shown = BTreeSet::new();
    for (title, names) in groups(template) {
        let _ = writeln!(
            page,
            "**{title}**\n\n| parameter | values | default | meaning |\n| --- | --- | --- | --- |"
        );
        for name in names {
            page.push_str(&parameter_row(&name, &parameters[name.as_str()]));
            shown.insert(name);
        }
        page.push('\n');
    }
    let all: BTreeSet<_> = parameters.as_mapping().unwrap().keys().map(text_of).collect();
    assert_eq!(shown, all, "the groups of {file} have each parameter once");
    page
}

/// The groups in which the console shows the parameters.
fn groups(template: &Yaml<'_>) -> Vec<(String, Vec<String>)> {
    let groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_vec().unwrap();
    let group = |group: &Yaml<'_>| {
        let names = group["Parameters"].as_vec().unwrap().iter().map(text_of).collect();
        (text_of(&group["Label"]["default"]), names)
    };
    groups.iter().map(group).collect()
}

fn parameter_row(name: &str, parameter: &Yaml<'_>) -> String {
    let member = |name: &str| parameter.as_mapping_get(name);
    let values = match member("AllowedValues").and_then(|values| values.as_vec()) {
        Some(values) => {
            values.iter().map(|value| format!("`{}`", text_of(value))).collect::<Vec<_>>().join(", ")
        }
        None => match member("Type").map(text_of).as_deref() {
            Some("CommaDelimitedList") => "list".to_owned(),
            Some("Number") => "number".to_owned(),
            _ => "text".to_owned(),
        },
    };
    let default = match member("Default").map(text_of) {
        None => "required".to_owned(),
        Some(default) if default.is_empty() => "–".to_owned(),
        Some(default) => format!("`{default}`"),
    };
    let meaning = member("Description").map(text_of).unwrap_or_default();
    let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!meaning.is_empty(), "{name} has no description");
    format!("| `{name}` | {values} | {default} | {} |\n", meaning.replace('|', "\\|"))
}

/// A scalar as text, as CloudFormation takes it.
fn text_of(value: &Yaml<'_>) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    value
        .as_bool()
        .map(|value| value.to_string())
        .or_else(|| value.as_integer().map(|value| value.to_string()))
        .unwrap_or_else(|| panic!("{value:?} is no scalar"))
}
