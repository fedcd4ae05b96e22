// What surrounds every page: header, navigation, and the notice that the connection is lost.
import {
  Alert,
  AlertActionLink,
  Divider,
  Dropdown,
  DropdownGroup,
  DropdownItem,
  DropdownList,
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  MastheadToggle,
  MenuToggle,
  Nav,
  NavItem,
  NavList,
  Page,
  PageSidebar,
  PageSidebarBody,
  PageToggleButton,
  SkipToContent,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
} from '@patternfly/react-core';
import UserIcon from '@patternfly/react-icons/dist/esm/icons/user-icon';
import { useEffect, useRef, useState } from 'react';
import { Link, Outlet, useLocation } from 'react-router-dom';
import { useStore } from '../api/store';
import { useConsole } from '../app';
import { HelpMenu } from './help_menu';
import { setTheme, theme, type Theme } from '../theme';
import { texts } from '../texts';
import { time } from '../model/format';

const pages: [string, string][] = [
  ['/overview', texts.shell.overview],
  ['/providers', texts.shell.providers],
  ['/inventory', texts.shell.inventory],
  ['/plans', texts.shell.plans],
  ['/mappings', texts.shell.mappings],
  ['/settings', texts.shell.settings],
];

const themes: [Theme, string][] = [
  ['system', texts.shell.system],
  ['light', texts.shell.light],
  ['dark', texts.shell.dark],
];

export function Logo() {
  return (
    <Link to="/" className="gantry-logo">
      <img src="/favicon.svg" alt="" />
      {texts.product}
    </Link>
  );
}

function AccountMenu() {
  const { session, signOut } = useConsole();
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<Theme>(theme());

  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle ref={ref} variant="plainText" icon={<UserIcon />} isExpanded={open} onClick={() => setOpen(!open)} aria-label={`${texts.shell.account}: ${session.user}`}>
          <span className="gantry-wide-only">{session.user}</span>
        </MenuToggle>
      )}
    >
      <DropdownGroup label={texts.shell.theme}>
        <DropdownList>
          {themes.map(([value, label]) => (
            <DropdownItem
              key={value}
              isSelected={value === chosen}
              onClick={() => {
                setTheme(value);
                setChosen(value);
              }}
            >
              {label}
            </DropdownItem>
          ))}
        </DropdownList>
      </DropdownGroup>
      <Divider />
      <DropdownGroup label={texts.shell.signedInAs(session.user)}>
        <DropdownList>
          <DropdownItem key="out" onClick={signOut}>
            {texts.shell.signOut}
          </DropdownItem>
        </DropdownList>
      </DropdownGroup>
    </Dropdown>
  );
}

function ConnectionNotice() {
  const { connection, lostSince } = useStore();
  const { events } = useConsole();
  if (connection !== 'lost') return null;
  return (
    <div className="gantry-sticky-banner" role="status">
      <Alert
        isInline
        variant="warning"
        title={texts.shell.lost}
        actionLinks={<AlertActionLink onClick={() => events.retryNow()}>{texts.shell.reconnect}</AlertActionLink>}
      >
        {texts.shell.lostBody(time(new Date(lostSince ?? Date.now()).toISOString()))}
      </Alert>
    </div>
  );
}

export function Shell() {
  const { pathname } = useLocation();
  const first = useRef(true);
  const main = 'main';

  // A new page is read from its beginning, also by a screen reader.
  useEffect(() => {
    if (!first.current) document.getElementById(main)?.focus();
    first.current = false;
  }, [pathname]);

  const masthead = (
    <Masthead display={{ default: 'inline' }}>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton isHamburgerButton aria-label={texts.shell.openNavigation} />
        </MastheadToggle>
        <MastheadBrand>
          <MastheadLogo component="div">
            <Logo />
          </MastheadLogo>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <Toolbar isFullHeight isStatic>
          <ToolbarContent>
            <ToolbarGroup align={{ default: 'alignEnd' }}>
              <ToolbarItem>
                <HelpMenu />
              </ToolbarItem>
              <ToolbarItem>
                <AccountMenu />
              </ToolbarItem>
            </ToolbarGroup>
          </ToolbarContent>
        </Toolbar>
      </MastheadContent>
    </Masthead>
  );
  const sidebar = (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label={texts.shell.navigation}>
          <NavList>
            {pages.map(([path, label]) => (
              <NavItem key={path} isActive={pathname.startsWith(path)}>
                <Link to={path}>{label}</Link>
              </NavItem>
            ))}
          </NavList>
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
  return (
    <Page
      masthead={masthead}
      sidebar={sidebar}
      isManagedSidebar
      mainContainerId={main}
      skipToContent={<SkipToContent href={`#${main}`}>{texts.shell.skip}</SkipToContent>}
    >
      <ConnectionNotice />
      <Outlet />
    </Page>
  );
}
