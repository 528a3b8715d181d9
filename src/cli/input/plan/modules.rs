//! The modules of a plan: all resources in them, and the configuration of one.

use super::super::node::SourceNode;

/// All resources of the root module and of the modules in it. `values` has the root module.
pub(super) fn resources(values: &SourceNode) -> Vec<&SourceNode> {
    let mut found = Vec::new();
    let mut modules: Vec<&SourceNode> = values.get("root_module").into_iter().collect();
    while let Some(module) = modules.pop() {
        found.extend(module.get("resources").and_then(SourceNode::items).unwrap_or_default());
        modules.extend(module.get("child_modules").and_then(SourceNode::items).unwrap_or_default());
    }
    found.sort_by_key(|node| (node.place.line, node.place.column));
    found
}

/// The configuration of the resource at an address: `module.a["x"].module.b.aws_kms_key.this[0]`.
pub(super) fn configuration<'p>(
    configuration: &'p SourceNode,
    address: &str,
    type_name: &str,
) -> Option<&'p SourceNode> {
    let mut module = configuration.get("root_module")?;
    let mut names = names(address).into_iter();
    loop {
        let first = names.next()?;
        if first != "module" {
            if first != type_name {
                return None;
            }
            break;
        }
        module = module.at(&["module_calls", &names.next()?, "module"])?;
    }
    let name = names.next()?;
    let resources = module.get("resources")?.items()?;
    resources.iter().find(|resource| {
        let text = |member: &str| resource.get(member).and_then(SourceNode::text);
        text("type") == Some(type_name) && text("name") == Some(&name) && text("mode") != Some("data")
    })
}

/// The names in an address, without the indices in brackets, which may hold dots.
fn names(address: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let (mut depth, mut is_quoted, mut is_escaped) = (0_u32, false, false);
    for c in address.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' if depth > 0 => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '.' if depth == 0 => names.push(String::new()),
            c if depth == 0 => {
                if let Some(last) = names.last_mut() {
                    last.push(c);
                }
            }
            _ => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_split_at_the_dots_outside_of_its_indices() {
        for (address, expected) in [
            ("aws_kms_key.this", vec!["aws_kms_key", "this"]),
            ("aws_kms_key.this[0]", vec!["aws_kms_key", "this"]),
            (
                r#"module.keys["eu.west"].module.b.aws_kms_key.this["a].\"b"]"#,
                vec!["module", "keys", "module", "b", "aws_kms_key", "this"],
            ),
        ] {
            assert_eq!(names(address), expected, "{address}");
        }
    }
}
