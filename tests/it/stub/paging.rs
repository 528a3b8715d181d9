//! Pages. All paginated operations use the same kind of token; each service has its own names for the members.

use super::call::Refusal;

/// The page that a caller asks for.
pub struct Asked<'a> {
    /// `MaxResults` or `Limit`.
    pub limit: Option<usize>,
    /// `NextToken` or `Marker`.
    pub token: Option<&'a str>,
    /// The range of the limit in the service model. Without a limit, the page has the largest size.
    pub least: usize,
    pub most: usize,
    /// The error code for a token that is not valid for the list.
    pub bad_token: &'a str,
    /// The page size that the test has set, if any.
    pub cap: Option<usize>,
}

/// The page of `items` that was asked for, and the token of the next page.
pub fn page<T>(items: Vec<T>, asked: &Asked<'_>) -> Result<(Vec<T>, Option<String>), Refusal> {
    if let Some(limit) = asked.limit
        && !(asked.least..=asked.most).contains(&limit)
    {
        return Err(Refusal::validation(format!(
            "the page size must be between {} and {}",
            asked.least, asked.most
        )));
    }
    let start = match asked.token {
        None => 0,
        Some(token) => match token.strip_prefix("page-").and_then(|start| start.parse().ok()) {
            Some(start) if start < items.len() => start,
            _ => {
                return Err(Refusal::client(asked.bad_token, "The specified token is not valid"));
            }
        },
    };
    let size = asked.limit.unwrap_or(asked.most).min(asked.cap.unwrap_or(asked.most));
    let end = items.len().min(start + size);
    let next = (end < items.len()).then(|| format!("page-{end}"));
    Ok((items.into_iter().skip(start).take(end - start).collect(), next))
}
