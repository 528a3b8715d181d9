//! A large fleet: the findings are few, and the work grows with the nodes and not with their square.

use std::time::{Duration, Instant};

use crate::preflight::checks::network::tests::*;

const NODES: usize = 20_000;
const VPCS: usize = 50;

/// Fifty VPCs of two subnets, each like that of [`NodeNetwork::unreachable`].
fn large() -> NodeNetwork {
    let mut net = NodeNetwork::unreachable();
    let template = net.clone();
    let (mut subnets, mut tables, mut endpoints) = (Vec::new(), Vec::new(), Vec::new());
    for vpc in 0..VPCS {
        let id = format!("vpc-{vpc:02}");
        for number in 0..2 {
            let like = template.network.subnets.known().unwrap()[number].clone();
            subnets.push(Subnet { id: format!("subnet-{vpc:02}-{number}"), vpc: id.clone(), ..like });
        }
        let like = template.network.route_tables.known().unwrap()[0].clone();
        tables.push(RouteTable { vpc: id.clone(), ..like });
        let like = template.network.endpoints.known().unwrap()[0].clone();
        let of_vpc = vec![format!("subnet-{vpc:02}-0")];
        endpoints.push(VpcEndpoint { id: format!("vpce-{vpc:02}"), vpc: id, subnets: of_vpc, ..like });
    }
    net.network.subnets = Read::Known(subnets);
    net.network.route_tables = Read::Known(tables);
    net.network.endpoints = Read::Known(endpoints);
    (net.nodes, net.network.instances) = (Vec::new(), std::sync::Arc::default());
    for number in 0..NODES {
        let id = format!("i-{number:017}");
        let vpc = number % VPCS;
        let arn = format!("arn:aws:iam::111122223333:role/R{:03}", number % 300);
        net.nodes.push(InstanceNode { id: id.as_str().into(), roles: [role(&arn)].into() });
        let mut instance = instance(&id);
        instance.vpc = Some(format!("vpc-{vpc:02}").into());
        instance.interfaces[0].subnet = Some(format!("subnet-{vpc:02}-{}", number / VPCS % 2).into());
        net.instances().push(instance);
    }
    net
}

fn timed(net: &NodeNetwork) -> (Vec<Finding>, Vec<ResourceRemedy>) {
    let (observation, network) = (net.observation(), Read::Known(net.network.clone()));
    let begun = Instant::now();
    let found = findings(&observation, &network, &|_| false);
    // A debug build on a busy machine takes a tenth of a second; what is quadratic takes minutes.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    found
}

#[test]
fn each_vpc_is_one_finding_however_many_nodes_it_has() {
    let (findings, remedies) = timed(&large());
    assert_eq!((findings.len(), remedies.len()), (VPCS, VPCS));
    for (number, finding) in findings.iter().enumerate() {
        assert_eq!((finding.verdict, &finding.subject), (Verdict::Fail, &format!("vpc-{number:02}")));
        assert!(finding.evidence.contains("400 nodes (such as i-"), "{finding}");
    }
}

#[test]
fn many_roles_and_policies_are_assessed_once_for_each_vpc() {
    let net = large().with(|net| {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/R*"}}}]}"#;
        for endpoint in net.endpoints().clone() {
            let (id, service) = (endpoint.id.replace("vpce-", "vpce-k"), endpoint.service.replace("ssmmessages", "kms"));
            let subnets = vec![endpoint.subnets[0].clone(), endpoint.subnets[0].replace("-0", "-1")];
            net.endpoints().push(VpcEndpoint { id, service, policy: Some(policy.to_owned()), ..endpoint });
            net.endpoints().last_mut().unwrap().subnets = subnets;
        }
    });
    let (findings, _) = timed(&net);
    let [finding] = findings.as_slice() else { panic!("{:#?}", findings.iter().take(3).collect::<Vec<_>>()) };
    assert_eq!(finding.evidence, "20000 EC2 nodes, in 50 VPCs, have a way to KMS");
}
