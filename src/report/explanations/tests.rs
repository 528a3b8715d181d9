use super::*;

const CONCEPTS: &str = include_str!("../../../docs/concepts.md");
const TROUBLESHOOTING: &str = include_str!("../../../docs/troubleshooting.md");

#[test]
fn every_check_is_explained() {
    // serde lists all variants in the error for a name that is none.
    let error = serde_json::from_str::<Check>("\"none\"").unwrap_err().to_string();
    let variants: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    let listed: Vec<String> = CHECKS
        .iter()
        .map(|check| serde_json::to_value(check).unwrap().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(variants, listed, "{error}");
}

#[test]
fn an_explanation_says_what_is_asked_failed_unknown_and_to_be_done() {
    for check in CHECKS {
        let explanation = Explanation::of(check);
        assert_eq!(explanation.id, explanation.name.replace(' ', "-"));
        for (title, text) in explanation.parts().into_iter().take(5) {
            assert!(text.len() > 40 && text.ends_with(['.', '?']), "{check:?}, {title}: {text}");
            assert!(!text.contains("  "), "{check:?}, {title}: {text}");
        }
        assert!(explanation.asks.contains('?'), "{check:?}");
    }
}

#[test]
fn an_explanation_leads_to_a_section_of_the_documentation() {
    // GitHub's anchor of a heading: small letters, hyphens for spaces, no other punctuation.
    let anchor = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect::<String>()
    };
    for check in CHECKS {
        let link = Explanation::of(check).link;
        let (page, section) = link.split_once('#').unwrap();
        let text = match page {
            "docs/concepts.md" => CONCEPTS,
            "docs/troubleshooting.md" => TROUBLESHOOTING,
            other => panic!("{other} is neither of the two pages"),
        };
        let headings =
            text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
        assert_eq!(headings.filter(|heading| anchor(heading) == section).count(), 1, "{link}");
    }
}

#[test]
fn the_concepts_name_every_check_as_reports_do() {
    let section = CONCEPTS.split("## The preflight").nth(1).unwrap().split("\n## ").next().unwrap();
    for check in CHECKS {
        let name = match check {
            // The table names it by what it asks.
            Check::Identities => "identities",
            other => Explanation::of(other).name,
        };
        assert!(section.contains(&format!("| {name}")), "{name}");
    }
}
